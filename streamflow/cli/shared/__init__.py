"""What commands have in common: whom they speak to, what they are given, how they answer."""
