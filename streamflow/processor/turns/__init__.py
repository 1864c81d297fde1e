"""A turn of the loop: records in, sorted and put in order; the batch out in one transaction; refusals found."""
