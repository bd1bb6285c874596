// Which test files are too slow for the daily loop, and which share a process.
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { relative } from "node:path"
import { projectDir } from "./setup.mjs"

/** Tests that start processes, a browser or peers, or simulate hours. */
const longer = ["test/clinic/postgres/", "test/e2e/", "test/cli/", "test/models/", "test/proof/"]
const longerFiles = [
    "crash",
    "start",
    "kill",
    "mqtt-brokers",
    "scenarios",
    "tshark",
    "determinism",
    "sweep",
    "threads",
    "reboot",
]

/** Tests that simulate so much that each file takes 5 s of processor time or more. */
const longSimulations = {
    "test/firmware/": [
        ...[
            "alarms",
            "config-trial",
            "drift",
            "faults",
            "heart",
            "link",
            "motion",
            "mqtt",
            "optical",
            "oxygen",
            "picow",
        ],
        ...["power", "queue", "sensing", "standby", "temperature", "thermometer", "thermometers"],
    ],
    "test/sim/": ["energy", "machine", "run", "runner", "wearers", "report/report", "net/mesh"],
}

export function inQuick(file) {
    return !isLonger(file) && !isLongSimulation(file)
}

function isLongSimulation(file) {
    return Object.entries(longSimulations).some(([folder, names]) =>
        names.some(name => file === `${folder}${name}.test.ts`),
    )
}

function isLonger(file) {
    return longer.some(start => file.startsWith(start)) || longerFiles.some(name => file.endsWith(`/${name}.test.ts`))
}

/** Files per process of one folder: starting a process takes longer than most files. */
const groupSize = 12

/**
 * Files to run, one process each: first the longest ones, then generated files that import a group of shorter ones.
 * @param compiled folder of the compiled tests
 */
export function inProcesses(files, compiled) {
    const folder = `${projectDir}.build/groups`
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const alone = files.filter(isLonger)
    const groups = [...byFolder(files)].flatMap(([name, all]) => {
        const short = all.filter(file => !isLonger(file))
        const count = Math.ceil(short.length / groupSize)
        return Array.from({ length: count }, (_, n) => [`${name}-${n}`, short.filter((_, i) => i % count === n)])
    })
    const made = groups.map(([name, members]) => {
        const path = `${folder}/${name}.test.mjs`
        writeFileSync(path, members.map(file => `import ${JSON.stringify(compiledFile(compiled, file))}\n`).join(""))
        return path
    })
    return [...alone.map(file => compiledFile(compiled, file)), ...made]
}

/** The compiled form of a test file. */
export function compiledFile(compiled, file) {
    return `${compiled}/${file.replace(/ts$/, "js")}`
}

/** The test file of a compiled form. */
export function sourceOf(path) {
    const [, file] = /\.build\/tests\/[^/]+\/(test\/.*)\.js$/.exec(path.replaceAll("\\", "/")) ?? []
    return file ? `${file}.ts` : relative(process.cwd(), path)
}

function folderOf(file) {
    return file.split("/").slice(1, -1).join("-")
}

function byFolder(files) {
    const folders = new Map()
    for (const file of files) folders.set(folderOf(file), [...(folders.get(folderOf(file)) ?? []), file])
    return folders
}

/** Tests that run the firmware on the real runtime of a board, which the project cannot include. */
export function needsRuntime(file) {
    return file.startsWith("test/emulator/runtime/")
}
