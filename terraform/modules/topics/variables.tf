variable "name" {
  description = "Prefix of everything, such as `ledger-prod`."
  type        = string
}

variable "scope" {
  description = "Where the topics are: partition, Region and account."
  type = object({
    partition  = string
    region     = string
    account_id = string
  })
}

variable "key_arn" {
  description = "KMS key of the topics and of the inbox; its policy lets alarms, budgets and SNS use it."
  type        = string
}

variable "alarm_emails" {
  description = "Who is told of alarms, by e-mail. Each has to confirm once."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "E-mail addresses, please."
  }
}

variable "inbox" {
  description = "Whether a queue collects notifications, for whoever wants to read them without a mail server."
  type        = bool
  default     = false
}
