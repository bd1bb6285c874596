// Which room may import from which, as docs/architecture.md says. `npm run lint` checks it.
import { readFileSync } from "node:fs"

const npm = "^node_modules/"
/** Rooms and folders whose files may be imported beside the room's own; npm libraries are for everybody but `src/`. */
const rooms = {
    host: [],
    wire: [],
    models: [],
    browser: [],
    devicescript: ["host/"],
    router: ["host/", "wire/"],
    clinic: ["host/", "wire/"],
    sim: ["host/", "wire/", "devicescript/", "router/index.ts", "clinic/index.ts"],
    emulator: ["host/", "devicescript/", "sim/"],
    cli: [
        "host/",
        "wire/",
        "devicescript/",
        "router/index.ts",
        "clinic/index.ts",
        "clinic/http/schemas/",
        "sim/index.ts",
        "emulator/",
        "bench/",
    ],
}
/** What runs in a browser or as bytecode, inside of a room, and what it may import of others; of its own room types, too. */
const islands = {
    "clinic/web": ["browser/", "wire/tables/"],
    "router/web": ["browser/", "router/browser/messages.ts"],
    "wire/tables": [],
    "cli/plot/web": ["browser/", "cli/plot/"],
    "sim/web/page": ["browser/", "sim/web/messages.ts"],
    "test/src": ["src/"],
    "bench/src": ["src/"],
}
/** Of the firmware, as the table in src/README.md has it: `[room, rooms that it may import from]`. */
const firmware = readFileSync(new URL("src/README.md", import.meta.url), "utf8")
    .split("\n")
    .map(line => /^\| `([\w-]+)(?:\/|\.ts)` \|.*\|([^|]*)\|$/.exec(line))
    .filter(row => row !== null)
    .map(([, room, allowed]) => [room, [...allowed.matchAll(/`([\w-]+)`/g)].map(([, other]) => other)])
if (firmware.length < 10) throw new Error("src/README.md has no table of rooms")

export default {
    forbidden: [
        {
            name: "no circles",
            severity: "error",
            from: {},
            to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
        },
        {
            name: "src/ knows nothing but DeviceScript",
            severity: "error",
            from: { path: "^src/" },
            to: { pathNot: ["^src/", "^@devicescript/", `${npm}@devicescript/`] },
        },
        ...Object.entries(rooms).map(([room, allowed]) => only(room, allowed, Object.keys(islands))),
        ...Object.entries(islands).flatMap(([island, allowed]) => [
            only(island, [...allowed, `${island.split("/")[0]}/`]),
            code(only(island, allowed)),
        ]),
        {
            name: "every room of src/ is in the table of src/README.md",
            severity: "error",
            from: { path: "^src/[^/]+/", pathNot: firmware.map(([room]) => `^src/${room}/`) },
            to: {},
        },
        {
            name: "what runs in a browser has nothing of Node.js",
            severity: "error",
            from: { path: ["^browser/", ...Object.keys(islands).map(room => `^${room}/`)] },
            to: { dependencyTypes: ["core"] },
        },
        ...firmware.map(([room, allowed]) => ({
            name: `src/${room} imports only from ${[room, ...allowed].join(", ")}`,
            severity: "error",
            from: { path: `^src/${room}[/.]` },
            to: { dependencyTypes: ["local"], pathNot: [room, ...allowed].map(other => `^src/${other}[/.]`) },
        })),
        {
            name: "what is shipped does not import tests",
            severity: "error",
            from: { pathNot: ["^test/", "^scripts/"] },
            to: { path: "^test/" },
        },
        {
            name: "what is shipped needs no package of the tests",
            severity: "error",
            from: { pathNot: ["^test/", "^scripts/", "^[^/]*$"] },
            to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
        },
    ],
    options: {
        tsPreCompilationDeps: true,
        tsConfig: { fileName: "tsconfig.json" },
        doNotFollow: { path: "node_modules" },
        exclude: { path: "^[.](build|devicescript|vitalmote)/" },
    },
}

/** A room imports files of its own and of those only. */
function only(room, allowed, except = []) {
    return {
        name: `${room}/ imports only from ${[`${room}/`, ...allowed].join(", ")}`,
        severity: "error",
        from: { path: `^${room}/`, ...(except.length && { pathNot: except.map(island => `^${island}/`) }) },
        to: { dependencyTypes: ["local"], pathNot: [`${room}/`, ...allowed].map(path => `^${path}`) },
    }
}

/** The same for all that is there at run time. */
function code(rule) {
    return { ...rule, name: `${rule.name} but types`, to: { ...rule.to, dependencyTypesNot: ["type-only"] } }
}
