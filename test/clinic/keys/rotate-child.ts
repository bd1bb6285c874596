// Replaces the key of the clinic in the folder that is given, so that a test can kill it.
import { reencrypt, rewrapKey } from "../../../clinic/index.ts"
import { parseMasterKey } from "../../../clinic/keys/master-key.ts"

const [what, folder = "", ...keys] = process.argv.slice(2)
const [old, next] = keys.map(text => (text ? parseMasterKey(Buffer.from(text), "test") : undefined))
if (what === "reencrypt") await reencrypt({ folder, database: { folder }, old, next })
else rewrapKey(folder, old, next)
