variable "name" {
  description = "Prefix of everything, and the application's table prefix, such as `ledger-prod`. Metrics carry no such prefix: give each environment an account or a Region of its own."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,28}[a-z0-9]$", var.name))
    error_message = "The name has 3 to 30 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "package" {
  description = "The code of all functions: a container image, by its digest, or a Zip file with its Python runtime."
  type = object({
    image_uri = optional(string)
    zip_file  = optional(string)
    runtime   = optional(string, "python3.13")
  })

  validation {
    condition     = (var.package.image_uri == null) != (var.package.zip_file == null)
    error_message = "Give either image_uri or zip_file."
  }
}

variable "architecture" {
  description = "`arm64` or `x86_64`: what the package was built for."
  type        = string
  default     = "arm64"
}

variable "network" {
  description = "Subnets and security groups the functions run in; null for none."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "locations" {
  description = "Locations that serve order lines naming none, in order."
  type        = list(string)
  default     = ["main"]

  validation {
    condition     = length(var.locations) > 0 && alltrue([for name in var.locations : can(regex("^[^@:#/,\\s]+$", name))])
    error_message = "At least one location; names hold no blank, comma, @, :, # or /."
  }
}

variable "auto_lanes" {
  description = "Lanes that an order splits a position into when processes contend for it; 1 for none."
  type        = number
  default     = 1

  validation {
    condition     = var.auto_lanes >= 1 && var.auto_lanes <= 16 && floor(var.auto_lanes) == var.auto_lanes && (var.auto_lanes == 1 || (var.auto_lanes + 1) * length(var.locations) <= 98)
    error_message = "1 to 16 lanes; those of all locations, and one event more at each, are at most 98: one commit has to touch them all."
  }
}

variable "replica" {
  description = "Region that holds a replica of every replicated table, and the key of that Region they are encrypted with; null for none."
  type        = object({ region = string, key_arn = string })
  default     = null
}

variable "replicated_tables" {
  description = "`create` in the Region that was first, `adopt` in the one that holds its replicas."
  type        = string
  default     = "create"
}

variable "lease" {
  description = "Whether this Region writes only while it holds the lease: for several Regions."
  type        = bool
  default     = false
}

variable "delivery" {
  description = "How the event table's stream reaches the relay: `auto`, `pipe` or `event_source_mapping`."
  type        = string
  default     = "auto"
}

variable "deletion_protection" {
  description = "Whether tables that can't be rebuilt refuse to be deleted."
  type        = bool
  default     = true
}

variable "backup_days" {
  description = "How far back point-in-time recovery reaches, in days; null leaves it to AWS, whose default is 35."
  type        = number
  default     = 35
}

variable "archive_days" {
  description = "How long the bus keeps events for replays."
  type        = number
  default     = 30
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 90
}

variable "key_deletion_window_days" {
  description = "How long a key that is to be deleted can still be saved."
  type        = number
  default     = 30
}

variable "cursor_secret_version" {
  description = "Raise it to draw a new secret that signs list cursors (cursors given out before are refused then). 0: Terraform makes the secret without a value and leaves that to you."
  type        = number
  default     = 1
}

variable "api_secret_settings" {
  description = "Further secret settings of the API, by name, such as `origin_secrets`. They are written to a secret of their own whenever `api_secret_settings_version` is raised."
  type        = map(string)
  sensitive   = true
  default     = {}
}

variable "api_secret_settings_version" {
  description = "Raise it when `api_secret_settings` changes; 0 where there are none."
  type        = number
  default     = 0
}

variable "api" {
  description = "The API's function. `environment` is added to what all functions get; `snap_start` restores it from a snapshot, if it is a Zip file."
  type = object({
    memory_mb            = optional(number, 1024)
    timeout_seconds      = optional(number, 25)
    reserved_concurrency = optional(number)
    snap_start           = optional(bool, false)
    environment          = optional(map(string), {})
  })
  default = {}
}

variable "relay" {
  description = "The relay's function."
  type = object({
    memory_mb            = optional(number, 512)
    timeout_seconds      = optional(number, 60)
    reserved_concurrency = optional(number)
    batch_size           = optional(number, 100)
    batch_window_seconds = optional(number, 0)
    parallelization      = optional(number, 2)
  })
  default = {}
}

variable "consumers" {
  description = "What differs from the defaults (`locals.tf`), by the consumer's name."
  type = map(object({
    memory_mb            = optional(number)
    timeout_seconds      = optional(number)
    reserved_concurrency = optional(number)
    batch_size           = optional(number)
    batch_window_seconds = optional(number)
    maximum_concurrency  = optional(number)
    max_receives         = optional(number)
  }))
  default = {}
}

variable "notify_webhooks" {
  description = "How many webhooks the function that notifies has time for (each may take a minute of a batch), and a version: raise it when the list in the secret has changed, so that functions start anew and read it."
  type        = object({ count = optional(number, 1), version = optional(number, 1) })
  default     = {}

  validation {
    condition     = var.notify_webhooks.count >= 0 && var.notify_webhooks.count <= 14 && floor(var.notify_webhooks.count) == var.notify_webhooks.count
    error_message = "0 to 14: a function runs for 15 minutes at most."
  }
}

variable "environment" {
  description = "Environment added to every function's."
  type        = map(string)
  default     = {}
}

variable "alarm_emails" {
  description = "Who is told of alarms, by e-mail."
  type        = set(string)
  default     = []
}

variable "inbox" {
  description = "Whether a queue collects notifications."
  type        = bool
  default     = false
}

variable "api_gateway" {
  description = "Id of the HTTP API, for alarms and dashboard; `exists` says whether there is one, since the id is known late."
  type        = object({ exists = bool, id = optional(string) })
  default     = { exists = false }
}

variable "monthly_budget_usd" {
  description = "What the account may cost a month in US dollars before an alarm; null for no budget."
  type        = number
  default     = null
}

variable "runbook" {
  description = "Where the runbook is; every alarm says so."
  type        = string
  default     = "docs/runbook.md"
}
