import { execute } from "./execute.ts"

// The reader of the output has closed it, as in `vitalmote hr … | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1)
})
process.exitCode = await execute(process.argv.slice(2))
