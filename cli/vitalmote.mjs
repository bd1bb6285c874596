#!/usr/bin/env node
// The command `vitalmote`. The sources are TypeScript and run as they are.
import { register } from "tsx/esm/api"

register()
await import("./main.ts")
