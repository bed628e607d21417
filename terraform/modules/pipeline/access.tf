# Who may do what with which table. Actions are named one by one; nothing here holds a wildcard.

locals {
  arn = module.tables.arns

  index = { for name, table in local.tables : name => length(table.indexes) == 0 ? [] : ["${local.arn[name]}/index/*"] }

  views = ["open_reservations", "orders", "stock_levels"]

  # For every function, whatever else it may do: history is only ever added to, and only by commits.
  history = [
    {
      Sid       = "HistoryIsNotChanged"
      Effect    = "Deny"
      Action    = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:UpdateItem"]
      Resource  = [local.arn.events]
      Condition = null
    },
    {
      # Without a transaction there is no enclosing operation, and "not equal" holds.
      Sid       = "HistoryIsWrittenInCommits"
      Effect    = "Deny"
      Action    = ["dynamodb:PutItem"]
      Resource  = [local.arn.events]
      Condition = { StringNotEquals = { "dynamodb:EnclosingOperation" = "TransactWriteItems" } }
    },
  ]

  tables_are_encrypted = [{
    Sid       = "TablesAreEncrypted"
    Effect    = "Allow"
    Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
    Resource  = module.tables.key_arns
    Condition = { StringEquals = { "kms:ViaService" = "dynamodb.${local.scope.region}.amazonaws.com" } }
  }]

  write_view = { for view in local.views : "write_${view}" => [
    {
      Sid       = "WriteItsView"
      Effect    = "Allow"
      Action    = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"]
      Resource  = [local.arn[view]]
      Condition = null
    },
    {
      Sid       = "SayHowFarItIs"
      Effect    = "Allow"
      Action    = ["dynamodb:GetItem", "dynamodb:PutItem"]
      Resource  = [local.arn.checkpoints]
      Condition = null
    },
  ] }

  # The API lists stock and orders; the order processor looks for work in all views.
  listed = { api = ["orders", "stock_levels"], order_processor = local.views }

  list_views = { for who, views in local.listed : "list_for_${who}" => [
    {
      Sid       = "ListViews"
      Effect    = "Allow"
      Action    = ["dynamodb:Query"]
      Resource  = flatten([for view in views : concat([local.arn[view]], local.index[view])])
      Condition = null
    },
    {
      Sid       = "WhichGenerationIsRead"
      Effect    = "Allow"
      Action    = ["dynamodb:GetItem"]
      Resource  = [local.arn.checkpoints]
      Condition = null
    },
  ] }

  # Once in each epoch in which this Region acts: it looks at all of history, and remembers how far it has come. The item that
  # says who writes is only operators' to change.
  sweep_on_taking = { for name in ["notifications", "sequencer"] : "sweep_${name}" => [for statement in [
    {
      Sid       = "FindWhatWasLeftUndone"
      Effect    = "Allow"
      Action    = ["dynamodb:Scan"]
      Resource  = [local.arn.events]
      Condition = null
    },
    {
      Sid       = "RememberTheSweep"
      Effect    = "Allow"
      Action    = ["dynamodb:PutItem"]
      Resource  = [local.arn.lease]
      Condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = "swept#${name}" } }
    },
  ] : statement if var.lease] }

  access = merge(local.write_view, local.list_views, local.sweep_on_taking, {
    read_events = [{
      Sid       = "ReadEvents"
      Effect    = "Allow"
      Action    = ["dynamodb:Query"]
      Resource  = [local.arn.events]
      Condition = null
    }]

    append = [
      {
        Sid       = "AppendInCommits"
        Effect    = "Allow"
        Action    = ["dynamodb:PutItem"]
        Resource  = [local.arn.commands, local.arn.events]
        Condition = { StringEquals = { "dynamodb:EnclosingOperation" = "TransactWriteItems" } }
      },
      {
        Sid       = "RefuseOnWhatIsNewest"
        Effect    = "Allow"
        Action    = ["dynamodb:ConditionCheckItem"]
        Resource  = [local.arn.events]
        Condition = { StringEquals = { "dynamodb:EnclosingOperation" = "TransactWriteItems" } }
      },
      {
        Sid       = "ReadCommands"
        Effect    = "Allow"
        Action    = ["dynamodb:GetItem"]
        Resource  = [local.arn.commands]
        Condition = null
      },
    ]

    # Whether this Region writes: what it says itself, and what replication has brought.
    read_lease = [for statement in [
      {
        Sid       = "ReadTheLease"
        Effect    = "Allow"
        Action    = ["dynamodb:GetItem"]
        Resource  = [local.arn.lease]
        Condition = null
      },
      {
        Sid       = "ReadTheFence"
        Effect    = "Allow"
        Action    = ["dynamodb:GetItem"]
        Resource  = [local.arn.commands]
        Condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = "lease#fence" } }
      },
    ] : statement if var.lease]

    read_rows = [{
      Sid       = "ReadRows"
      Effect    = "Allow"
      Action    = ["dynamodb:GetItem"]
      Resource  = [for view in local.listed.api : local.arn[view]]
      Condition = null
    }]

    # The feed says which events come next; they themselves are in their own table.
    read_feed = [
      {
        Sid       = "ReadTheFeed"
        Effect    = "Allow"
        Action    = ["dynamodb:Query"]
        Resource  = [local.arn.feed]
        Condition = null
      },
      {
        Sid       = "ReadEventsOfTheFeed"
        Effect    = "Allow"
        Action    = ["dynamodb:BatchGetItem"]
        Resource  = [local.arn.events]
        Condition = null
      },
    ]

    sequence = [{
      Sid       = "KeepTheFeed"
      Effect    = "Allow"
      Action    = ["dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
      Resource  = [local.arn.feed]
      Condition = null
    }]

    notify = [
      {
        Sid       = "MarkWhatWasSent"
        Effect    = "Allow"
        Action    = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
        Resource  = [local.arn.notifications]
        Condition = null
      },
      {
        Sid       = "PublishNotifications"
        Effect    = "Allow"
        Action    = ["sns:Publish"]
        Resource  = [module.topics.notifications_arn]
        Condition = null
      },
      {
        Sid       = "TheTopicIsEncrypted"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [module.keys.arns.messages]
        Condition = { StringEquals = { "kms:ViaService" = "sns.${local.scope.region}.amazonaws.com" } }
      },
    ]
  })

  statements = merge(
    { for name, consumer in local.known : name => concat(
      flatten([for right in consumer.access : local.access[right]]),
      lookup(local.read_secret, name, []),
      local.tables_are_encrypted,
      local.history,
    ) },
    {
      api = concat(local.access.read_events, local.access.append, local.access.read_lease, local.access.list_for_api, local.access.read_rows, local.access.read_feed, local.read_secret.api, local.tables_are_encrypted, local.history)

      # It reads no table: what it relays comes to it.
      relay = concat(
        [
          {
            Sid       = "PublishEvents"
            Effect    = "Allow"
            Action    = ["events:PutEvents"]
            Resource  = [module.bus.arn]
            Condition = null
          },
          {
            Sid       = "PutAwayWhatIsNoEvent"
            Effect    = "Allow"
            Action    = ["sqs:SendMessage"]
            Resource  = [local.relay_dead_arn]
            Condition = null
          },
          {
            Sid       = "MessagesAreEncrypted"
            Effect    = "Allow"
            Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
            Resource  = [module.keys.arns.messages]
            Condition = { StringEquals = { "kms:ViaService" = "sqs.${local.scope.region}.amazonaws.com" } }
          },
        ],
        local.history,
      )
    },
  )
}
