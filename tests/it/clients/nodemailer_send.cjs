// Sends the message on standard input with Nodemailer (pipelines MAIL, RCPT and DATA behind AUTH PLAIN).
'use strict';
const fs = require('node:fs');
const nodemailer = require('nodemailer');
const { MAIL_PORT, MAIL_CA, MAIL_USER, MAIL_PASSWORD, MAIL_FROM, MAIL_TO } = process.env;

async function main() {
    const transport = nodemailer.createTransport({
        host: '127.0.0.1',
        port: Number(MAIL_PORT),
        secure: true,
        tls: { ca: fs.readFileSync(MAIL_CA), servername: 'localhost' },
        auth: { user: MAIL_USER, pass: MAIL_PASSWORD },
    });
    await transport.sendMail({ envelope: { from: MAIL_FROM, to: [MAIL_TO] }, raw: fs.readFileSync(0) });
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
