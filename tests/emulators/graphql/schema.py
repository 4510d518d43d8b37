"""The schema of the emulator."""

from graphql import GraphQLSchema, build_schema

SDL = """
scalar Decimal
scalar DateTime

type Seo { title: String text: String }

type Thing {
  id: ID!
  sku: String
  name: String
  price: Decimal
  stock: Int
  seo: Seo
  status: String
  rev: Int!
  updatedAt: DateTime!
  secret: String
}

type PageInfo { hasNextPage: Boolean! endCursor: String }
type ThingEdge { cursor: String! node: Thing }
type ThingConnection { nodes: [Thing] edges: [ThingEdge] pageInfo: PageInfo totalCount: Int! }

type Query {
  things(first: Int, after: String, since: DateTime, sku: String, query: String): ThingConnection
  all(limit: Int, offset: Int): [Thing!]!
  thing(id: ID!): Thing
  thingBySku(sku: String!): Thing
}

input SeoInput { title: String text: String }
input ThingInput { id: ID sku: String name: String price: Decimal stock: Int seo: SeoInput status: String }
type UserError { field: [String!] message: String! code: String }
type ThingPayload { thing: Thing userErrors: [UserError!]! }
type DeletePayload { deletedId: ID userErrors: [UserError!]! }

type Mutation {
  thingCreate(input: ThingInput!, key: String): ThingPayload
  thingUpdate(id: ID!, input: ThingInput!, rev: Int, key: String): ThingPayload
  thingDelete(id: ID!): DeletePayload
}
"""


def schema() -> GraphQLSchema:
    """Return the schema; its own scalars are taken and given as they are."""
    return build_schema(SDL)
