import assert from "node:assert/strict"
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import { toProblem } from "../../wire/tables/problems.ts"

type Schema = Record<string, unknown>
interface Content {
    content?: Record<string, { schema: Schema }>
}
interface Operation {
    requestBody?: Content
    responses: Record<string, Content>
}
export interface OpenApi {
    openapi: string
    paths: Record<string, Record<string, Operation>>
    components: { schemas: Record<string, Schema> }
}

/** What the clinic says about its interface, and whether its answers are as it says. */
export class Description {
    readonly document: OpenApi
    private readonly ajv = new Ajv2020({ strict: false, validateFormats: false })
    private readonly known = new Map<Schema, ValidateFunction>()
    /** The answers that were checked: method, path, status. */
    readonly seen = new Set<string>()

    constructor(document: OpenApi) {
        this.document = document
    }

    /** Asserts that this answer to this request is described, and has exactly the described fields. */
    check(method: string, url: string, answer: { status: number; type: string | undefined; bytes: Buffer }): void {
        const { status, type = "", bytes } = answer
        const all = Object.keys(this.document.paths)
        const path = all.find(path => path === url.split("?")[0]) ?? all.find(path => fits(path, url))
        const operation = path === undefined ? undefined : this.document.paths[path]![method.toLowerCase()]
        if (!path || !operation) return checkUnknown(url, answer)
        const responses = operation.responses
        const which = [String(status), `${String(status)[0]}XX`].find(key => key in responses)
        assert.ok(which, `${method} ${path} answers ${status}, which is not described`)
        this.seen.add(`${method} ${path} ${which}`)
        const { content } = responses[which]!
        if (!content) return assert.equal(bytes.length, 0, `${method} ${path} ${status} has no body`)
        const media = content[type.split(";")[0]!]
        assert.ok(media, `${method} ${path} answers ${status} with ${type}, which is not described`)
        if (/json$/.test(type.split(";")[0]!))
            this.checkValue(media.schema, JSON.parse(bytes.toString()), `${method} ${path} ${status}`)
    }

    /** Asserts that the data of an event of /api/live is as described. */
    checkEvent(name: string, data: unknown): void {
        const schema = this.document.components.schemas[`live-${name}`]
        assert.ok(schema, `the event ${name} is not described`)
        this.checkValue(schema, data, name)
    }

    private checkValue(schema: Schema, value: unknown, what: string): void {
        let validate = this.known.get(schema)
        if (!validate) this.known.set(schema, (validate = this.ajv.compile(closed(schema) as Schema)))
        assert.ok(validate(value), `${what}: ${this.ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`)
    }
}

function fits(path: string, url: string): boolean {
    const template = path.split("/")
    const parts = url.split("?")[0]!.split("/")
    return (
        template.length === parts.length &&
        template.every((part, i) => part === parts[i] || (part.startsWith("{") && parts[i] !== ""))
    )
}

/** What is not described is a page, or where browsers come by on the way from and to the sign-in provider, or a failure. */
function checkUnknown(url: string, { status, bytes }: { status: number; bytes: Buffer }): void {
    if (status < 400 || bytes.length === 0) {
        assert.match(url, /^\/($|assets\/|favicon\.svg$|api\/live|openid\/)/, `${url} is not described`)
        return
    }
    const answer = JSON.parse(bytes.toString()) as { type?: string; resourceType?: string }
    assert.ok(url.startsWith("/fhir") ? answer.resourceType === "OperationOutcome" : toProblem(answer))
}

/** Objects may get more fields one day; today they have those described and no others. */
function closed(schema: unknown): unknown {
    if (Array.isArray(schema)) return schema.map(closed)
    if (typeof schema !== "object" || schema === null) return schema
    const entries = Object.entries(schema).map(([key, value]) => [key, closed(value)])
    const isOpen = "properties" in schema && !("additionalProperties" in schema)
    return Object.fromEntries(isOpen ? [...entries, ["additionalProperties", false]] : entries)
}
