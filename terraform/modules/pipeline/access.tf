# Who may do what with which table. Actions are named one by one; nothing here holds a wildcard.

locals {
  arn = module.tables.arns

  index = { for name, table in local.tables : name => length(table.indexes) == 0 ? [] : ["${local.arn[name]}/index/*"] }

  views     = ["open_reservations", "orders", "stock_levels"]
  view_arns = flatten([for view in local.views : concat([local.arn[view]], local.index[view])])

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
      Action    = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]
      Resource  = concat([local.arn[view]], local.index[view])
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

  access = merge(local.write_view, {
    read_events = [{
      Sid       = "ReadEvents"
      Effect    = "Allow"
      Action    = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
      Resource  = [local.arn.events]
      Condition = null
    }]

    append = [
      {
        Sid       = "AppendInCommits"
        Effect    = "Allow"
        Action    = ["dynamodb:ConditionCheckItem", "dynamodb:PutItem"]
        Resource  = [local.arn.commands, local.arn.events]
        Condition = { StringEquals = { "dynamodb:EnclosingOperation" = "TransactWriteItems" } }
      },
      {
        Sid       = "ReadCommands"
        Effect    = "Allow"
        Action    = ["dynamodb:GetItem"]
        Resource  = [local.arn.commands]
        Condition = null
      },
      {
        Sid       = "ReadTheLease"
        Effect    = "Allow"
        Action    = ["dynamodb:GetItem"]
        Resource  = [local.arn.lease]
        Condition = null
      },
    ]

    read_views = [{
      Sid       = "ReadViews"
      Effect    = "Allow"
      Action    = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
      Resource  = concat(local.view_arns, [local.arn.checkpoints])
      Condition = null
    }]

    read_feed = [{
      Sid       = "ReadTheFeed"
      Effect    = "Allow"
      Action    = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
      Resource  = [local.arn.feed]
      Condition = null
    }]

    sequence = [{
      Sid       = "KeepTheFeed"
      Effect    = "Allow"
      Action    = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
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
        Sid       = "ReadTheLease"
        Effect    = "Allow"
        Action    = ["dynamodb:GetItem"]
        Resource  = [local.arn.lease]
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

  read_secret = { for name, arns in local.secret_arns : name => [
    {
      Sid       = "ReadItsSecretSettings"
      Effect    = "Allow"
      Action    = ["secretsmanager:GetSecretValue"]
      Resource  = arns
      Condition = null
    },
    {
      Sid       = "SecretsAreEncrypted"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = [module.keys.arns.secrets]
      Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${local.scope.region}.amazonaws.com" } }
    },
  ] }

  statements = merge(
    { for name, consumer in local.known : name => concat(
      flatten([for right in consumer.access : local.access[right]]),
      lookup(local.read_secret, name, []),
      local.tables_are_encrypted,
      local.history,
    ) },
    {
      api = concat(local.access.read_events, local.access.append, local.access.read_views, local.access.read_feed, local.read_secret.api, local.tables_are_encrypted, local.history)

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
