import { Type } from "@sinclair/typebox"
import { Command, InvalidArgumentError } from "commander"
import { BurdenStatistics, ReplayResult } from "../../clinic/http/schemas/burden.ts"
import { Patient } from "../../clinic/http/schemas/patients.ts"
import { UserError } from "../../host/errors.ts"
import { ConfigError, parseConfigValue } from "../../wire/settings.ts"
import { alarmKindOf } from "../../wire/tables/alarm-kinds.ts"
import { quantities, unitText, type QuantityName } from "../../wire/tables/quantities.ts"
import { clinicOptions, withClinic, type ClinicApi, type ClinicOptions } from "../clinic-api.ts"
import { integer, option } from "../options.ts"
import { table } from "../table.ts"

const dayMs = 86_400_000
const maxDays = 31
const shownMissed = 20

interface Options extends ClinicOptions {
    days: number
    ward?: string
    json: boolean
}

interface ReplayOptions extends Options {
    limits: Record<string, number>
    delay?: number
}

export const alarmsCommand = new Command("alarms")
    .description("count alarms, and find out how other limits would have changed them")
    .addCommand(
        shared("statistics", "show alarms per patient and day, and how long they waited").action((options: Options) =>
            withClinic(options, async api => {
                const { from, before } = period(options)
                const ward = options.ward === undefined ? "" : `&ward=${encodeURIComponent(options.ward)}`
                const path = `/api/alarms/statistics?from=${from}&before=${before}${ward}`
                const found = await api.call("GET", path, BurdenStatistics)
                if (options.json) console.log(JSON.stringify(found))
                else printStatistics(found)
            }),
        ),
    )
    .addCommand(
        shared(
            "replay",
            "apply other limits to the stored readings: which alarms they would have raised, and which they would have missed",
        )
            .addOption(
                option("--limits <name=value...>", "such as hrHigh=140 spo2Low=88; the others stay as they are")
                    .argParser(limits)
                    .default({}, "as set"),
            )
            .addOption(option("--delay <s>", "how long a value must be beyond a limit").argParser(integer(0, 600)))
            .action((options: ReplayOptions) => withClinic(options, api => replay(api, options))),
    )

function shared(name: string, description: string): Command {
    return clinicOptions(new Command(name).description(description))
        .addOption(option("--days <n>", "number of days up to now").argParser(integer(1, maxDays)).default(7))
        .addOption(option("--ward <name>", "one ward only"))
        .option("--json", "one JSON document", false)
}

function period({ days }: Options): { from: number; before: number } {
    const before = Date.now()
    return { from: before - days * dayMs, before }
}

/** Parses one `name=value` or several, separated by commas, and adds them to the previous ones. */
function limits(text: string, previous: Record<string, number> = {}): Record<string, number> {
    const found = { ...previous }
    for (const assignment of text.split(",")) {
        const [, name, value] = /^(\w{1,16})=(.*)$/s.exec(assignment) ?? []
        if (name === undefined || value === undefined)
            throw new InvalidArgumentError("Expected NAME=VALUE, such as hrHigh=140.")
        try {
            found[name] = Number(parseConfigValue(name, value))
        } catch (error) {
            if (error instanceof ConfigError) throw new InvalidArgumentError(`${error.message}.`)
            throw error
        }
    }
    return found
}

interface Total {
    kind: string
    asSet: number
    whatIf: number
    missed: number
    latestMs: number
}

async function replay(api: ClinicApi, options: ReplayOptions): Promise<void> {
    const { from, before } = period(options)
    const tried = { ...options.limits, ...(options.delay !== undefined && { delay: options.delay }) }
    if (Object.keys(tried).length === 0) throw new UserError("either --limits or --delay is needed", 2)
    const everybody = await api.call("GET", "/api/patients", Type.Array(Patient))
    const patients = everybody.filter(({ ward }) => options.ward === undefined || ward === options.ward)
    if (patients.length === 0) throw new UserError("there are no patients on that ward")
    const totals = new Map<string, Total>()
    const missed: { who: string; kind: string; from: number; to: number | null; worst: number }[] = []
    let watchedMs = 0
    for (const { id, given, family, bed } of patients) {
        const path = `/api/patients/${id}/alarms/replay`
        const found = await api.call("POST", path, ReplayResult, { from, before, limits: tried })
        watchedMs += found.watchedMs
        for (const { kind, asSet, whatIf, latestMs, missed } of found.kinds) {
            const total = totals.get(kind) ?? { kind, asSet: 0, whatIf: 0, missed: 0, latestMs: 0 }
            total.asSet += asSet
            total.whatIf += whatIf
            total.missed += missed
            total.latestMs = Math.max(total.latestMs, latestMs)
            totals.set(kind, total)
        }
        const who = clean(`${family}, ${given}${bed === null ? "" : ` (${bed})`}`)
        missed.push(...found.missed.map(episode => ({ who, ...episode })))
    }
    const patientDays = watchedMs / dayMs
    if (options.json) return console.log(JSON.stringify({ patientDays, kinds: [...totals.values()], missed }))
    console.log(`${patients.length} patients, ${patientDays.toFixed(1)} patient days`)
    const perDay = (count: number) => (patientDays > 0 ? (count / patientDays).toFixed(2) : "–")
    const rows = [...totals.values()].map(({ kind, asSet, whatIf, missed, latestMs }) => [
        ...[alarmKindOf(kind).label, String(asSet), perDay(asSet), String(whatIf), perDay(whatIf)],
        ...[String(missed), `${Math.round(latestMs / 1000)} s`],
    ])
    const head = ["alarm", "as set", "a day", "what if", "a day", "missed", "at most later by"]
    for (const line of table(head, rows)) console.log(line)
    for (const { who, kind, from, to, worst } of missed.slice(0, shownMissed)) {
        const lasted = to === null ? "not over" : `lasted ${Math.round((to - from) / 1000)} s`
        console.log(
            `missed: ${who}  ${alarmKindOf(kind).label}  ${new Date(from).toISOString()}  ${lasted}  ${worstOf(kind, worst)}`,
        )
    }
    if (missed.length > shownMissed) console.log(`missed: ${missed.length - shownMissed} more`)
}

function worstOf(kind: string, worst: number): string {
    const { cause } = alarmKindOf(kind)
    if (!("quantity" in cause)) return ""
    const { unit, digits } = quantities[cause.quantity as QuantityName]
    return `worst ${worst.toFixed(digits)} ${unitText(unit)}`
}

function printStatistics({ all, kinds, priorities, patientDays, loudest }: BurdenStatistics): void {
    console.log(`${patientDays.toFixed(1)} patient days`)
    const seconds = (ms: number | null) => (ms === null ? "–" : `${Math.round(ms / 1000)} s`)
    const row = (name: string, { count, begun, perPatientDay, endedSoon, waiting }: BurdenStatistics["all"]) => [
        ...[name, String(count), String(begun), perPatientDay?.toFixed(2) ?? "–", String(endedSoon)],
        ...[String(waiting.seen), seconds(waiting.medianMs), seconds(waiting.p90Ms)],
    ]
    const rows = [
        row("all", all),
        ...priorities.map(some => row(some.priority, some)),
        ...kinds.map(some => row(clean(alarmKindOf(some.kind).label), some)),
    ]
    const head = ["alarm", "count", "begun", "per patient and day", "over within a minute", "seen", "median", "p90"]
    for (const line of table(head, rows)) console.log(line)
    for (const { family, given, bed, count, perDay } of loudest)
        console.log(
            `loudest: ${clean(`${family}, ${given}${bed === null ? "" : ` (${bed})`}`)}  ${count}` +
                (perDay === null ? "" : `  ${perDay.toFixed(2)} a day`),
        )
}

/** Removes control characters, so that text from the clinic cannot control the terminal. */
function clean(text: string): string {
    return text.replace(/\p{Cc}/gu, " ")
}
