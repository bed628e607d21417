variable "name" {
  description = "Prefix of alarms; dashboard and budget are named with the Region besides."
  type        = string
}

variable "region" {
  description = "Region of the metrics."
  type        = string
}

variable "alarm_topic_arn" {
  description = "Topic that is told of every alarm, and of its end."
  type        = string
}

variable "runbook" {
  description = "Where the runbook is; every alarm says so. Sections are named `errors`, `throttles`, `dead-letters`, `queue-age`, `lag`, `lost` and so on: the keys in `alarms.tf`, up to the colon."
  type        = string
  default     = "docs/runbook.md"
}

variable "functions" {
  description = "Name of every function, by what it is."
  type        = map(string)
}

variable "consumers" {
  description = "Queue and rule of every consumer, by its name."
  type        = map(object({ queue = string, rule = string }))
}

variable "bus" {
  description = "Name of the bus."
  type        = string
}

variable "dead_letter_queues" {
  description = "Name of every queue of dead letters, by what it is."
  type        = map(string)
}

variable "tables" {
  description = "Full name of every table, by its name in the manifest."
  type        = map(string)
}

variable "relay" {
  description = "How the stream is delivered: `pipe` with the pipe's name, or `event_source_mapping`."
  type        = object({ delivery = string, pipe_name = optional(string) })
}

variable "api_id" {
  description = "Id of the HTTP API in API Gateway; null while there is none."
  type        = string
  default     = null
}

variable "has_api" {
  description = "Whether there is an HTTP API. (Its id is known only once it exists.)"
  type        = bool
  default     = false
}

variable "replica" {
  description = "Region that holds replicas, and the replicated tables' names in the manifest; null for none."
  type        = object({ region = string, tables = set(string) })
  default     = null
}

variable "lease" {
  description = "Whether writing Regions hold a lease, so that its age is watched."
  type        = bool
  default     = false
}

variable "monthly_budget_usd" {
  description = "What the account may cost a month in US dollars before an alarm; null for no budget."
  type        = number
  default     = null
}

variable "thresholds" {
  description = "When an alarm goes off: lag of a view and age of a queue in seconds, iterator age in seconds, p99 of the API in milliseconds, contentions in five minutes, age of the lease in seconds."
  type = object({
    lag_seconds             = optional(number, 60)
    queue_age_seconds       = optional(number, 300)
    iterator_age_seconds    = optional(number, 60)
    api_p99_milliseconds    = optional(number, 2000)
    contentions             = optional(number, 25)
    lease_age_seconds       = optional(number, 15)
    replication_lag_seconds = optional(number, 30)
  })
  default = {}
}
