import { collectDefaultMetrics, Registry } from "prom-client"

/** The text format of Prometheus. */
export const metricsType = "text/plain; version=0.0.4; charset=utf-8"

let ofProcess: Registry | undefined

/** Returns what there is to say of this process as a whole: memory, CPU, open files, lag of the event loop. */
function processMetrics(): Registry {
    if (!ofProcess) collectDefaultMetrics({ register: (ofProcess = new Registry()) })
    return ofProcess
}

/** Begins to measure the process, so that the first scrape has something to tell. */
export function measureProcess(): void {
    processMetrics()
}

/** Returns the metrics of `own` and of the process, as Prometheus reads them. */
export async function scrape(own: Registry): Promise<string> {
    return await Registry.merge([processMetrics(), own]).metrics()
}
