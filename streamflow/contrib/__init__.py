"""What needs libraries that not everybody has: each part names the extra that brings them."""
