# The tables of the application's manifest. What the code expects and what is made here can't differ:
# there is one file.

locals {
  adopted = { for name, table in var.tables : name => table if table.replicated && var.replicated_tables == "adopt" }
  own     = { for name, table in var.tables : name => table if !contains(keys(local.adopted), name) }

  replicas = { for name, table in local.own : name => var.replica if table.replicated && var.replica != null }

  # A Global Table needs a stream on every replica, with both images.
  stream_view = { for name, table in local.own : name => contains(keys(local.replicas), name) ? "NEW_AND_OLD_IMAGES" : table.stream_view_type }

  attributes = { for name, table in local.own : name => merge(
    { (table.hash_key.name) = table.hash_key.type },
    table.range_key == null ? {} : { (table.range_key.name) = table.range_key.type },
    merge([for index in values(table.indexes) : merge(
      { (index.hash_key.name) = index.hash_key.type },
      index.range_key == null ? {} : { (index.range_key.name) = index.range_key.type },
    )]...),
  ) }

  arns = { for name in keys(var.tables) : name => "arn:${var.scope.partition}:dynamodb:${var.scope.region}:${var.scope.account_id}:table/${var.name}-${name}" }
}

resource "aws_dynamodb_table" "this" {
  # checkov:skip=CKV_AWS_28: the manifest says which tables can be recovered: all but views and checkpoints, which are made again from events
  for_each = local.own

  name         = "${var.name}-${each.key}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = each.value.hash_key.name
  range_key    = try(each.value.range_key.name, null)

  # The service itself refuses to delete the table, whoever asks and however a plan came about.
  deletion_protection_enabled = var.deletion_protection && each.value.deletion_protection

  stream_enabled   = local.stream_view[each.key] != null
  stream_view_type = local.stream_view[each.key]

  dynamic "attribute" {
    for_each = local.attributes[each.key]

    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.indexes

    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value.hash_key.name
      range_key       = try(global_secondary_index.value.range_key.name, null)
      projection_type = "ALL"
    }
  }

  dynamic "ttl" {
    for_each = each.value.ttl_attribute == null ? [] : [each.value.ttl_attribute]

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.key_arn
  }

  point_in_time_recovery {
    enabled                 = each.value.point_in_time_recovery
    recovery_period_in_days = each.value.point_in_time_recovery ? var.backup_days : null
  }

  dynamic "replica" {
    for_each = contains(keys(local.replicas), each.key) ? [local.replicas[each.key]] : []

    content {
      region_name            = replica.value.region
      kms_key_arn            = replica.value.key_arn
      point_in_time_recovery = each.value.point_in_time_recovery
      propagate_tags         = true
    }
  }
}

data "aws_dynamodb_table" "adopted" {
  for_each = local.adopted

  name = "${var.name}-${each.key}"
}
