// Signs in with ImapFlow, says that it is a telephone (RFC 2971), idles in the INBOX, and tells how the session ends.
'use strict';
const fs = require('node:fs');
const { ImapFlow } = require('imapflow');
const { MAIL_PORT, MAIL_CA, MAIL_USER, MAIL_PASSWORD } = process.env;
const tell = (state, said) => process.stdout.write(`${JSON.stringify({ state, said })}\n`);

async function main() {
    const client = new ImapFlow({
        host: '127.0.0.1',
        port: Number(MAIL_PORT),
        secure: true,
        servername: 'localhost',
        tls: { ca: fs.readFileSync(MAIL_CA), servername: 'localhost' },
        auth: { user: MAIL_USER, pass: MAIL_PASSWORD },
        clientInfo: { name: 'iPhone Mail', version: '23B85', vendor: 'Apple', os: 'iOS' },
        logger: false,
    });
    // An end of the connection is no error here: it is what is waited for.
    client.on('error', () => {});
    client.on('close', () => {
        if (client.isHeld) tell('closed', client.byeReason ?? null);
    });
    try {
        await client.connect();
    } catch (error) {
        tell('refused', error.responseText ?? String(error));
        client.close();
        return;
    }
    await client.mailboxOpen('INBOX');
    client.isHeld = true;
    const idle = client.idle();
    tell('idle');
    await idle.catch(() => {});
}

main().catch((error) => {
    tell('failed', String(error));
    process.exitCode = 1;
});
