"""What uses Amazon's services."""
