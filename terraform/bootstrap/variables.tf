variable "name" {
  description = "Prefix of every name; the environments' names start with it too (`ledger` → `ledger-prod`)."
  type        = string
  default     = "ledger"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "The name has 3 to 20 lower-case letters, digits and hyphens, and starts with a letter."
  }
}

variable "region" {
  description = "Region of the state, the plans and the images."
  type        = string
  default     = "ap-southeast-4"
}

variable "replica_regions" {
  description = "Regions that images are copied to, because functions run there too."
  type        = set(string)
  default     = ["ap-southeast-2"]
}

variable "github_repository" {
  description = "The repository on GitHub whose workflows deploy, as its tokens name it: `owner@id/name@id`, or `owner/name` if it was made before 15 July 2026, not renamed or transferred since, and has not opted in to immutable subjects."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*(/[A-Za-z0-9._-]+|@[0-9]+/[A-Za-z0-9._-]+@[0-9]+)$", var.github_repository))
    error_message = "As in owner@id/name@id, both ids or none: no URL, no wildcard."
  }
}

variable "main_branch" {
  description = "The branch that is deployed."
  type        = string
  default     = "main"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", var.main_branch))
    error_message = "A branch's name, without wildcards."
  }
}

variable "github_environment" {
  description = "The protected environment on GitHub whose approval lets a plan be applied."
  type        = string
  default     = "production"

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]+$", var.github_environment))
    error_message = "An environment's name, without wildcards."
  }
}

variable "github_oidc_provider_arn" {
  description = "GitHub's OIDC provider, if the account has it already (there can be only one); null makes it."
  type        = string
  default     = null
}
