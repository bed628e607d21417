provider "aws" {
  region = var.region

  default_tags {
    tags = {
      project   = var.name
      component = "bootstrap"
    }
  }
}
