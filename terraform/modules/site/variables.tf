variable "name" {
  description = "Prefix of every name, such as `ledger-prod`; the buckets' are this, the account's number, the Region, and `-site` or `-logs`."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,28}[a-z0-9]$", var.name))
    error_message = "The name has 3 to 30 lower-case letters, digits and hyphens, and starts with a letter."
  }
}

variable "distribution_arn" {
  description = "The one CloudFront distribution that may read."
  type        = string
}

variable "content_dir" {
  description = "Folder whose files are served, as scripts/build_site.py lays it out; `x/index.html` is served as `/x`. Null: the bucket is filled by other means."
  type        = string
  default     = null
}

variable "access_log_retention_days" {
  description = "How long the bucket's access log is kept."
  type        = number
  default     = 365
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete the buckets with what is in them: for short-lived environments."
  type        = bool
  default     = false
}
