import { Type, type TSchema } from "@sinclair/typebox"
import type { FastifyReply, FastifyRequest } from "fastify"
import Negotiator from "negotiator"
import { csv, type Cell } from "./csv.ts"

/** An answer as a table, for people and their programs. */
export interface Table {
    /** Of the file and the page. */
    name: string
    /** The XML element of a row; that of all has an s behind it. */
    row: string
    columns: readonly string[]
    rows: readonly (readonly Cell[])[]
}

const writers: Record<string, (table: Table) => string> = {
    "text/csv": ({ columns, rows }) => csv([columns, ...rows]),
    "text/html": html,
    "application/xml": xml,
}
const json = "application/json"

/** How an answer is described that may also be a table. */
export function tableAnswer(description: string, schema: TSchema) {
    const text = { schema: Type.Unsafe<string>(Type.String({ description: "The same as a table" })) }
    const tables = Object.fromEntries(Object.keys(writers).map(type => [type, text]))
    return { description, content: { [json]: { schema }, ...tables } }
}

/**
 * Sends an answer as what the client prefers (RFC 9110 §12.5.1): JSON, or a table as CSV, HTML or XML; JSON where it takes none of
 * these. `format`: what the address asks for, whatever the client says.
 */
export async function sendTable(
    request: FastifyRequest,
    reply: FastifyReply,
    { answer, table, format }: { answer: unknown; table: () => Table; format?: "json" | "csv" | undefined },
): Promise<FastifyReply> {
    reply.header("vary", "accept")
    const types = [json, ...Object.keys(writers)]
    const wanted = new Negotiator({ headers: { accept: request.headers.accept ?? "*/*" } }).mediaType(types) ?? json
    const type = format === undefined ? wanted : format === "csv" ? "text/csv" : json
    const write = writers[type]
    if (!write) return await reply.send(answer)
    const written = table()
    if (type === "text/csv") reply.header("content-disposition", `attachment; filename="${written.name}.csv"`)
    // A string: the serializer would put it in quotes.
    return await reply.type(`${type}; charset=utf-8`).send(write(written))
}

function html({ name, columns, rows }: Table): string {
    const row = (element: string, cells: readonly Cell[]) =>
        `<tr>${cells.map(cell => `<${element}>${escaped(cell)}</${element}>`).join("")}</tr>\n`
    return (
        `<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>${escaped(name)}</title></head>\n` +
        `<body>\n<table border="1">\n<thead>${row("th", columns)}</thead>\n<tbody>\n` +
        `${rows.map(cells => row("td", cells)).join("")}</tbody>\n</table>\n</body>\n</html>\n`
    )
}

/** What is empty is left out. */
function xml({ row, columns, rows }: Table): string {
    const elements = columns.map(column => column.replaceAll(" ", "-"))
    const line = (cells: readonly Cell[]) =>
        cells.map((cell, i) => (cell === null ? "" : `<${elements[i]}>${escaped(cell)}</${elements[i]}>`)).join("")
    const lines = rows.map(cells => `  <${row}>${line(cells)}</${row}>\n`)
    return `<?xml version="1.0" encoding="UTF-8"?>\n<${row}s>\n${lines.join("")}</${row}s>\n`
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" }

/** Without the characters that XML 1.0 does not know. */
function escaped(cell: Cell): string {
    const text = cell === null ? "" : String(cell)
    return text
        .replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "�")
        .replace(/[&<>"']/g, c => entities[c]!)
}
