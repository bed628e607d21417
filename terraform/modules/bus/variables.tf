variable "name" {
  description = "Name of the bus, and prefix of what belongs to it."
  type        = string
}

variable "scope" {
  description = "Where the bus is: partition, Region and account."
  type = object({
    partition  = string
    region     = string
    account_id = string
  })
}

variable "key_arn" {
  description = "KMS key of the bus and its dead-letter queue; its policy lets EventBridge use it."
  type        = string
}

variable "archive_days" {
  description = "How long the archive keeps events; 0 for ever. The event table keeps them anyway: the archive is for replays of the bus."
  type        = number
  default     = 30

  validation {
    condition     = var.archive_days >= 0
    error_message = "A number of days, or 0 for ever."
  }
}
