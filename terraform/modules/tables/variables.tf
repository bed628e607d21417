variable "name" {
  description = "Prefix of the tables: `NAME-events` and so on. It is the application's `LEDGER_STORE=dynamodb:NAME`."
  type        = string
}

variable "scope" {
  description = "Where the tables are: partition, Region and account."
  type = object({
    partition  = string
    region     = string
    account_id = string
  })
}

variable "tables" {
  description = "The tables by name, in the shape of the application's own manifest (`ledger/store/tables.json`)."
  type = map(object({
    purpose                = string
    hash_key               = object({ name = string, type = string })
    range_key              = optional(object({ name = string, type = string }))
    stream_view_type       = optional(string)
    ttl_attribute          = optional(string)
    point_in_time_recovery = bool
    deletion_protection    = bool
    replicated             = bool
    indexes = map(object({
      hash_key  = object({ name = string, type = string })
      range_key = optional(object({ name = string, type = string }))
    }))
  }))

  validation {
    condition     = alltrue([for name in keys(var.tables) : can(regex("^[a-z_]+$", name))])
    error_message = "Tables are named in lower-case letters and underscores."
  }
}

variable "key_arn" {
  description = "KMS key of the tables in this Region."
  type        = string
}

variable "replica" {
  description = "Region and KMS key of the replicas of replicated tables; null for none."
  type        = object({ region = string, key_arn = string })
  default     = null
}

variable "replicated_tables" {
  description = "`create`: this Region's Terraform makes the replicated tables, with their replicas. `adopt`: another Region's Terraform made them, and this one uses the replicas that are here."
  type        = string
  default     = "create"

  validation {
    condition     = contains(["create", "adopt"], var.replicated_tables)
    error_message = "Either create or adopt."
  }

  validation {
    condition     = var.replicated_tables == "create" || var.replica == null
    error_message = "A Region that adopts replicas makes none itself."
  }
}

variable "deletion_protection" {
  description = "Whether tables that can't be rebuilt refuse to be deleted. Off only where history may be thrown away."
  type        = bool
  default     = true
}

variable "backup_days" {
  description = "How far back point-in-time recovery reaches, 1 to 35 days; null leaves it to AWS, whose default is 35."
  type        = number
  default     = 35

  validation {
    condition     = coalesce(var.backup_days, 35) >= 1 && coalesce(var.backup_days, 35) <= 35
    error_message = "Point-in-time recovery reaches 1 to 35 days back."
  }
}
