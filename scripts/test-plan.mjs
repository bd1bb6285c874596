// Which test files are too long for the daily loop.

/** They start processes, a browser or peers, or simulate hours. */
const longer = ["test/e2e/", "test/cli/", "test/proof/"]

export function inQuick(file) {
    return !longer.some(start => file.startsWith(start))
}

/** They run the firmware on the real runtime of a board, which is not ours to ship. */
export function needsRuntime(file) {
    return file.startsWith("test/emulator/runtime/")
}
