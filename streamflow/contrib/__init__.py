"""What not everybody needs. Parts that need further libraries name the extra that brings them."""
