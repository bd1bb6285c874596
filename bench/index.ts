import type { Row } from "./row.ts"

/** All benchmarks of `vitalmote bench`, by name; each is loaded when it is run. */
export const benchmarks: Record<string, (report?: string) => Promise<Row[]>> = {
    start: async () => (await import("./start.ts")).bench(),
    mote: async () => (await import("./mote.ts")).bench(),
    sensing: async report => (await import("./sensing.ts")).bench(report),
    saturation: async () => (await import("./saturation.ts")).bench(),
    sim: async () => (await import("./sim.ts")).bench(),
    energy: async () => (await import("./energy.ts")).bench(),
    router: async report => (await import("./router/index.ts")).bench(report),
    mqtt: async () => (await import("./mqtt.ts")).bench(),
    hostile: async () => [
        ...(await (await import("./hostile.ts")).bench()),
        ...(await (await import("./hostile-clinic.ts")).bench()),
    ],
    alarms: async () => (await import("./alarms.ts")).bench(),
    clinic: async () => (await import("./clinic.ts")).bench(),
}
