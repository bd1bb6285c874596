#!/usr/bin/env node
// The command `vitalmote`.
import { load } from "../host/compiled.mjs"

await load("cli/main.ts")
