// Fills the heap of 64 KB.
const parts: Buffer[] = []
while (true) parts.push(Buffer.alloc(4096))
