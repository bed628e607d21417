variable "name" {
  description = "Prefix of everything, such as `ledger-prod`."
  type        = string
}

variable "scope" {
  description = "Where the stream is: partition, Region and account."
  type = object({
    partition  = string
    region     = string
    account_id = string
  })
}

variable "delivery" {
  description = "How records reach the relay: `pipe` (EventBridge Pipes), `event_source_mapping` (Lambda reads the stream), or `auto`: a pipe where the Region has them."
  type        = string
  default     = "auto"

  validation {
    condition     = contains(["auto", "pipe", "event_source_mapping"], var.delivery)
    error_message = "One of auto, pipe and event_source_mapping."
  }
}

variable "stream_arn" {
  description = "ARN of the event table's stream."
  type        = string
}

variable "relay" {
  description = "The relay's function: name, the alias that is invoked, and its role."
  type        = object({ name = string, alias_arn = string, role_name = string })
}

variable "keys" {
  description = "KMS keys: those of the event table, of messages and of logs."
  type        = object({ data = list(string), messages = string, logs = string })
}

variable "batch_size" {
  description = "Records of one invocation, at most."
  type        = number
  default     = 100

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10000
    error_message = "1 to 10000 records."
  }
}

variable "batch_window_seconds" {
  description = "How long records are gathered before an invocation. It is added to every view's lag."
  type        = number
  default     = 0
}

variable "parallelization" {
  description = "Invocations at once for each shard, 1 to 10; records of one item stay in order."
  type        = number
  default     = 2

  validation {
    condition     = var.parallelization >= 1 && var.parallelization <= 10
    error_message = "1 to 10."
  }
}

variable "maximum_attempts" {
  description = "How often a batch is tried again, halved each time, before its place goes to the dead letters."
  type        = number
  default     = 20
}

variable "maximum_age_seconds" {
  description = "How old a record may get before it goes to the dead letters: less than the day after which the stream forgets it."
  type        = number
  default     = 6 * 3600

  validation {
    condition     = var.maximum_age_seconds >= 60 && var.maximum_age_seconds < 24 * 3600
    error_message = "At least a minute, and less than the 24 hours a stream lasts."
  }
}

variable "log_retention_days" {
  description = "How long the pipe's logs are kept."
  type        = number
  default     = 90
}
