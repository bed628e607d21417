# Over environments/dev: the state stays beside the copy of the configuration.

terraform {
  backend "local" {}
}
