"""What goes over the wire: requests are validated models, answers are typed dictionaries."""
