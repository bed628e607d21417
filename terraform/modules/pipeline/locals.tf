data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  scope = {
    partition  = data.aws_partition.current.partition
    region     = data.aws_region.current.id # its `name` is deprecated in the provider's version 6
    account_id = data.aws_caller_identity.current.account_id
  }

  # ---- what the application says of itself

  manifest = jsondecode(file("${path.module}/../../../ledger/store/tables.json"))
  rules    = jsondecode(file("${path.module}/../../../projections/delivery/rules.json"))

  # The pump is the local runtime's; on AWS its work is this module's.
  tables     = { for name, table in local.manifest : name => table if name != "pump" }
  replicated = toset([for name, table in local.tables : name if table.replicated])

  # ---- the consumers: those of the rules, and what is known of each here

  known = {
    stock_levels      = { description = "Keeps the stock levels up to date", access = ["read_events", "write_stock_levels"] }
    orders            = { description = "Keeps the list of orders up to date", access = ["read_events", "write_orders"] }
    open_reservations = { description = "Keeps the list of orders that fall due up to date", access = ["read_events", "write_open_reservations"] }
    order_processor   = { description = "Goes on with large orders, backorders and expiries", access = ["read_events", "append", "read_lease", "list_for_order_processor"] }
    notifications     = { description = "Tells people and systems what there is to tell", access = ["read_events", "notify", "read_lease", "sweep_notifications"] }
    sequencer         = { description = "Gives every event its place in the feed", access = ["read_events", "sequence", "read_lease", "sweep_sequencer"] }
  }

  consumer_defaults = {
    memory_mb            = 512
    timeout_seconds      = 30
    reserved_concurrency = null
    batch_size           = 10
    batch_window_seconds = 0
    maximum_concurrency  = 10
    max_receives         = 5
  }

  consumer_settings = { for name in keys(local.rules) : name => merge(
    local.consumer_defaults,
    # The feed has one end: whoever puts a page there first, wins. Two at once are the fewest that
    # Lambda takes from a queue; if fewer are reserved, throttled messages become dead letters.
    # On taking the lease it reads history, for up to 45 seconds of every minute.
    name != "sequencer" ? {} : { batch_size = 100, batch_window_seconds = 1, maximum_concurrency = 2, timeout_seconds = var.lease ? 60 : 30 },
    # Commands on the same positions get in each other's way.
    name != "order_processor" ? {} : { timeout_seconds = 120, maximum_concurrency = 5, memory_mb = 1024 },
    # A webhook that is down takes a minute of a batch before it is left alone.
    name != "notifications" ? {} : { timeout_seconds = 30 + 60 * max(1, var.notify_webhooks.count), maximum_concurrency = 5 },
    { for setting, value in try(var.consumers[name], {}) : setting => value if value != null },
  ) }

  # Who is asked every minute to do what no message tells of. Without a lease only the order
  # processor has such work.
  swept = toset([for name in ["notifications", "order_processor", "sequencer"] : name if var.lease || name == "order_processor"])

  # ---- environment

  environment = merge({
    LEDGER_STORE                 = "dynamodb:${var.name}"
    LEDGER_REGION                = local.scope.region
    LEDGER_LOCATIONS             = join(",", var.locations)
    LEDGER_AUTO_LANES            = tostring(var.auto_lanes)
    LEDGER_LEASE                 = tostring(var.lease)
    POWERTOOLS_METRICS_NAMESPACE = "Ledger"
    POWERTOOLS_LOG_LEVEL         = "INFO"
  }, var.environment)
}
