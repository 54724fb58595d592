// Prints the newest message whose subject is MAIL_MARKER, with ImapFlow (ID before and after login, AUTHENTICATE PLAIN).
'use strict';
const fs = require('node:fs');
const { ImapFlow } = require('imapflow');
const { MAIL_PORT, MAIL_CA, MAIL_USER, MAIL_PASSWORD, MAIL_MARKER } = process.env;

async function main() {
    const client = new ImapFlow({
        host: '127.0.0.1',
        port: Number(MAIL_PORT),
        secure: true,
        servername: 'localhost',
        tls: { ca: fs.readFileSync(MAIL_CA), servername: 'localhost' },
        auth: { user: MAIL_USER, pass: MAIL_PASSWORD },
        logger: false,
    });
    try {
        await client.connect();
        await client.mailboxOpen('INBOX', { readOnly: true });
        const found = await client.search({ header: { subject: MAIL_MARKER } });
        const message = await client.fetchOne(found.at(-1), { source: true });
        process.stdout.write(message.source);
        await client.logout();
    } finally {
        // After a refused login the connection is still there, and Node.js would wait for it.
        client.close();
    }
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
