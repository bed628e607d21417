// Pushes groups of events with castore when it is asked to: `node rounds.cjs ENDPOINT TABLE GROUP`.
//
// GROUP is a JSON list of {kind, type, payload, metadata}: the events of one group. A line of the
// standard input such as {"flights": 8, "seconds": 0.8} is answered by
// {"groups": ..., "seconds": ...}: how many were pushed in how long.
"use strict";

const readline = require("node:readline");
const { randomUUID } = require("node:crypto");
const { DynamoDBClient } = require("@aws-sdk/client-dynamodb");
const { EventStore } = require("@castore/core");
const {
  DynamoDBSingleTableEventStorageAdapter,
} = require("@castore/event-storage-adapter-dynamodb");

const [endpoint, tableName, group] = process.argv.slice(2);
const facts = JSON.parse(group);
const eventStorageAdapter = new DynamoDBSingleTableEventStorageAdapter({
  tableName,
  dynamoDBClient: new DynamoDBClient({ endpoint }),
});
const stores = {};
for (const { kind } of facts) {
  stores[kind] ??= new EventStore({
    eventStoreId: kind.toUpperCase(),
    eventTypes: [],
    reducer: (state) => state,
    eventStorageAdapter,
  });
}
const POSITIONS_PER_FLIGHT = 30;
const versions = new Map();

function grouped(flight, number) {
  let line = 0;
  return facts.map(({ kind, type, payload, metadata }) => {
    const position = (number * facts.length + line++) % POSITIONS_PER_FLIGHT;
    const aggregateId = kind === "position" ? `${flight}-${position}` : randomUUID();
    const version = (versions.get(aggregateId) ?? 0) + 1;
    if (kind === "position") versions.set(aggregateId, version);
    return stores[kind].groupEvent({ aggregateId, version, type, payload, metadata });
  });
}

async function fly(flight, until) {
  let number = 0;
  for (; performance.now() < until; number++) {
    await EventStore.pushEventGroup(...grouped(flight, number));
  }
  return number;
}

async function answer(line) {
  const { flights, seconds } = JSON.parse(line);
  const began = performance.now();
  const pushed = await Promise.all(
    Array.from({ length: flights }, (_, flight) => fly(flight, began + 1000 * seconds)),
  );
  const groups = pushed.reduce((sum, each) => sum + each, 0);
  return { groups, seconds: (performance.now() - began) / 1000 };
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await answer(line)) + "\n");
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
