"""One router per resource. A route builds a command or a query and hands it over."""
