variable "name" {
  description = "Prefix of everything, such as `ledger-prod`."
  type        = string
}

variable "consumer" {
  description = "Name of the consumer, such as `stock_levels`."
  type        = string

  validation {
    condition     = can(regex("^[a-z_]+$", var.consumer))
    error_message = "A consumer is named in lower-case letters and underscores."
  }
}

variable "description" {
  description = "What the consumer does, in a sentence."
  type        = string
}

variable "scope" {
  description = "Where the consumer is: partition, Region and account."
  type = object({
    partition  = string
    region     = string
    account_id = string
  })
}

variable "bus_name" {
  description = "The bus whose events the consumer takes."
  type        = string
}

variable "event_pattern" {
  description = "Which events it takes: an event pattern of EventBridge, as JSON."
  type        = string

  validation {
    condition     = can(keys(jsondecode(var.event_pattern)))
    error_message = "An event pattern is a JSON object."
  }
}

variable "function" {
  description = "The function that handles the events, as variables of the module `function`."
  type = object({
    package              = object({ image_uri = optional(string), zip_file = optional(string), runtime = optional(string, "python3.13") })
    architecture         = string
    memory_mb            = number
    timeout_seconds      = number
    reserved_concurrency = optional(number)
    environment          = map(string)
    statements = list(object({
      Sid       = string
      Effect    = string
      Action    = list(string)
      Resource  = list(string)
      Condition = optional(map(map(string)))
    }))
    network            = optional(object({ subnet_ids = list(string), security_group_ids = list(string) }))
    log_retention_days = number
    snap_start         = optional(bool, false)
  })
}

variable "keys" {
  description = "KMS keys of messages, logs and functions' environments."
  type        = object({ messages = string, logs = string, secrets = string })
}

variable "batch_size" {
  description = "Messages of one invocation, at most."
  type        = number
  default     = 10

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10000 && (var.batch_size <= 10 || var.batch_window_seconds >= 1)
    error_message = "1 to 10000 messages; above 10 Lambda wants a batch window of a second or more."
  }
}

variable "batch_window_seconds" {
  description = "How long Lambda gathers a batch that isn't full."
  type        = number
  default     = 0
}

variable "maximum_concurrency" {
  description = "Batches handled at once, at most: 2 to 1000."
  type        = number
  default     = 10

  validation {
    condition     = var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000
    error_message = "Lambda takes 2 to 1000."
  }

  validation {
    condition     = coalesce(var.function.reserved_concurrency, 1000) >= var.maximum_concurrency
    error_message = "Fewer reserved invocations than batches taken from the queue: the rest would be throttled, and a message throttled often enough becomes a dead letter."
  }
}

variable "max_receives" {
  description = "The receipt of a message that is its last: the application makes a dead letter of it, with the reason."
  type        = number
  default     = 5

  validation {
    condition     = var.max_receives >= 1 && var.max_receives <= 99
    error_message = "1 to 99 receipts."
  }
}
