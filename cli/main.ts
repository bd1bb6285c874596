import { execute } from "./execute.ts"

// Whoever reads along has seen enough, as in `vitalmote hr … | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1)
})
process.exitCode = await execute(process.argv.slice(2))
