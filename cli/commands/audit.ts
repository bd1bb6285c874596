import { join } from "node:path"
import { Type, type Static } from "@sinclair/typebox"
import { Command, InvalidArgumentError } from "commander"
import {
    anchorName,
    chainPage,
    chainPages,
    headText,
    parseHead,
    readClinicKey,
    readSqlite,
    sealingKey,
    verifyChain,
    type ChainPage,
    type Head,
} from "../../clinic/index.ts"
import { Chain } from "../../clinic/http/schemas/audit.ts"
import { UserError } from "../../host/errors.ts"
import { readIfThere } from "../../host/files.ts"
import { withAccess, type ClinicApi } from "../clinic-api.ts"
import { givenMasterKey, keyOptions, type KeyFlags } from "../key-options.ts"
import { localAccess } from "../local-access.ts"
import { integer, option } from "../options.ts"
import { shareLine } from "../progress.ts"
import { table } from "../table.ts"

const dataOption = () => option("--data <dir>", "data folder of the clinic").default(".vitalmote")

const verify = new Command("verify")
    .description("check that nothing of the audit record was changed, removed, swapped or cut off")
    .addOption(dataOption())
    .addOption(
        option("--anchor <head...>", "COUNT:HASH as it stood in the log, or as a backup or an earlier check printed it")
            .argParser((text, heads: Head[] = []) => [...heads, anchor(text)])
            .default([]),
    )
    .action(async (options: KeyFlags & { data: string; anchor: Head[] }) => {
        const { data, anchor } = options
        const progress = shareLine()
        const anchors = [...anchor, ...ownAnchor(data)]
        const key = readClinicKey(join(data, "clinic"), await givenMasterKey(options))
        if (!key) throw new UserError(`there is no clinic in ${data}`)
        const verdict = await withChain(data, pages =>
            verifyChain(pages, {
                key: sealingKey(key.secrets),
                anchors,
                progress: (done, total) => progress("verifying", done, total),
            }),
        ).finally(() => progress("", 0, 0))
        if (verdict.bad !== undefined)
            throw new UserError(`the audit record is not whole: event ${verdict.bad} ${verdict.reason}`)
        console.log(`the audit record is whole: ${verdict.head.count} events`)
        console.log(headText(verdict.head))
    })
for (const each of keyOptions()) verify.addOption(each)

interface SearchOptions {
    data: string
    patient?: number
    user?: string
    from?: string
    to?: string
    limit: number
}

const search = new Command("search")
    .description("list who looked at and changed what, the newest first; the clinic runs")
    .addOption(dataOption())
    .addOption(option("--patient <id>", "number of a patient").argParser(integer(1, Number.MAX_SAFE_INTEGER)))
    .addOption(option("--user <name>", "name of a user"))
    .addOption(option("--from <time>", "such as 2026-11-30 or 2026-11-30T06:00Z; UTC without a zone"))
    .addOption(option("--to <time>", "until before this time"))
    .addOption(option("--limit <n>", "events at most").argParser(integer(1, 1_000_000)).default(100))
    .action(async (options: SearchOptions) => {
        const access = await localAccess(options.data)
        if (!access) throw new UserError(`no clinic runs on ${options.data}: start it first, or give --data`)
        const events = await withAccess(access, api => found(api, options))
        const head = ["event", "time", "user", "role", "what", "outcome", "patients", "address", "request"]
        for (const line of table(head, events.map(cells))) console.log(line.replace(/\p{Cc}/gu, " "))
        if (events.length === options.limit) console.error(`the newest ${options.limit}; --limit shows more`)
    })

export const auditCommand = new Command("audit")
    .description("verify and search the record of who looked at and changed what")
    .addCommand(verify)
    .addCommand(search)

function anchor(text: string): Head {
    const head = parseHead(text)
    if (!head) throw new InvalidArgumentError("Expected COUNT:HASH.")
    return head
}

/** What the clinic wrote beside its database within the last hour. */
function ownAnchor(data: string): Head[] {
    const file = join(data, "clinic", anchorName)
    const text = readIfThere(file)
    if (!text) return []
    const head = parseHead(text.toString())
    if (!head) throw new UserError(`the audit record is not whole: ${file} was changed`)
    return [head]
}

/** From the clinic, if it runs: nobody else can open its database then. */
async function withChain<T>(data: string, work: (pages: AsyncIterable<ChainPage>) => Promise<T>): Promise<T> {
    const access = await localAccess(data)
    if (access) return await withAccess(access, api => work(chainPages(after => pageOf(api, after))))
    const store = readSqlite(join(data, "clinic", "clinic.db"))
    try {
        return await work(chainPages(after => chainPage(store, after)))
    } finally {
        await store.close()
    }
}

async function pageOf(api: ClinicApi, after: number): Promise<ChainPage> {
    const { head, rows } = await api.call("GET", `/api/audit/chain?after=${after}`, Chain)
    return {
        head: head ? { count: head.count, hash: bytes(head.hash), mac: bytes(head.mac) } : undefined,
        rows: rows.map(({ hash, ...row }) => ({ ...row, hash: bytes(hash) })),
    }
}

function bytes(hex: string): Uint8Array {
    return Buffer.from(hex, "hex")
}

const pageEvents = 200
const Text = Type.String()
/** What is shown of an AuditEvent. */
const Event = Type.Object({
    id: Text,
    recorded: Text,
    subtype: Type.Array(Type.Object({ system: Text, code: Text })),
    outcome: Type.Optional(Text),
    outcomeDesc: Type.Optional(Text),
    agent: Type.Array(
        Type.Object({
            who: Type.Object({ display: Text }),
            role: Type.Optional(Type.Array(Type.Object({ text: Text }))),
            altId: Type.Optional(Text),
            network: Type.Optional(Type.Object({ address: Text })),
        }),
    ),
    entity: Type.Optional(
        Type.Array(
            Type.Object({
                what: Type.Optional(Type.Object({ reference: Text })),
                name: Type.Optional(Text),
                detail: Type.Optional(Type.Array(Type.Object({ type: Text, valueString: Text }))),
            }),
        ),
    ),
})
type Event = Static<typeof Event>
const Page = Type.Object({
    link: Type.Array(Type.Object({ relation: Text, url: Text })),
    entry: Type.Optional(Type.Array(Type.Object({ resource: Event }))),
})

async function found(api: ClinicApi, { patient, user, from, to, limit }: SearchOptions): Promise<Event[]> {
    const query = new URLSearchParams({ _count: String(Math.min(limit, pageEvents)) })
    if (patient !== undefined) query.set("patient", String(patient))
    if (user !== undefined) query.set("agent-name", user)
    if (from !== undefined) query.append("date", `ge${from}`)
    if (to !== undefined) query.append("date", `lt${to}`)
    const events: Event[] = []
    for (let next: string | undefined = `?${query}`; next !== undefined && events.length < limit;) {
        const page: Static<typeof Page> = await api.call("GET", `/fhir/AuditEvent${next}`, Page)
        for (const { resource } of page.entry ?? []) events.push(resource)
        next = page.link.map(link => (link.relation === "next" ? new URL(link.url).search : undefined)).find(Boolean)
    }
    return events.slice(0, limit)
}

const outcomes = { "0": "done", "4": "refused", "8": "failed" }

function cells({ id, recorded, agent: [agent], subtype, outcome, outcomeDesc, entity = [] }: Event): string[] {
    const code = (name: string) => subtype.find(({ system }) => system === `urn:vitalmote:audit-${name}`)?.code ?? ""
    const patients = entity.flatMap(({ what }) => (what ? [what.reference.replace("Patient/", "")] : []))
    const said = entity.flatMap(({ detail = [] }) => detail.map(({ type, valueString }) => `${type}=${valueString}`))
    return [
        ...[
            id,
            recorded,
            agent?.who.display ?? "",
            agent?.role?.[0]?.text ?? "",
            `${code("action")} ${code("subject")}`,
        ],
        [outcome === undefined ? "unknown" : outcomes[outcome as keyof typeof outcomes], outcomeDesc].join(" ").trim(),
        patients.length > 5 ? `${patients.length} patients` : patients.join(" "),
        [agent?.network?.address, agent?.altId].filter(Boolean).join(" "),
        [entity.find(({ name }) => name !== undefined)?.name, ...said].filter(Boolean).join(" "),
    ]
}
