// Which test files are too long for the daily loop, and which share a process.
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { projectDir } from "./setup.mjs"

/** They start processes, a browser or peers, or simulate hours. */
const longer = ["test/e2e/", "test/cli/", "test/proof/"]
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

export function inQuick(file) {
    return !isLonger(file)
}

function isLonger(file) {
    return longer.some(start => file.startsWith(start)) || longerFiles.some(name => file.endsWith(`/${name}.test.ts`))
}

/** So many files of one folder in a process: starting one takes longer than most of them. */
const groupSize = 12

/**
 * Files of which each is to be run in a process of its own: the longest first, then groups of shorter ones, which are
 * files that import them.
 */
export function inProcesses(files) {
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
        writeFileSync(path, members.map(file => `import "../../${file}"\n`).join(""))
        return path
    })
    return [...alone, ...made]
}

function folderOf(file) {
    return file.split("/").slice(1, -1).join("-")
}

function byFolder(files) {
    const folders = new Map()
    for (const file of files) folders.set(folderOf(file), [...(folders.get(folderOf(file)) ?? []), file])
    return folders
}

/** They run the firmware on the real runtime of a board, which is not ours to ship. */
export function needsRuntime(file) {
    return file.startsWith("test/emulator/runtime/")
}
