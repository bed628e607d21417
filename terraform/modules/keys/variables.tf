variable "name" {
  description = "Prefix of everything the keys protect, such as `ledger-prod`. Key policies name resources by it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name is lower-case letters, digits and hyphens, 2 to 31 of them, and begins with a letter."
  }
}

variable "purposes" {
  description = "Which keys to make: `data` (tables), `messages` (bus, queues, topics), `logs` (log groups), `secrets` (secrets, functions' environment)."
  type        = set(string)
  default     = ["data", "messages", "logs", "secrets"]

  validation {
    condition     = length(setsubtract(var.purposes, ["data", "messages", "logs", "secrets"])) == 0
    error_message = "The purposes are data, messages, logs and secrets."
  }
}

variable "deletion_window_days" {
  description = "How long a key that is to be deleted can still be saved, 7 to 30 days. What it encrypted is lost with it."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "KMS keeps a key for 7 to 30 days."
  }
}
