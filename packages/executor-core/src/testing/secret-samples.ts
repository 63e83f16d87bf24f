/** Characters of a made-up secret: letters and digits by turns, so that it is nobody's. */
function run(length: number, alphabet = 'aB3dE6gH9jK2mN5pQ8sT1vW4xY7z'): string {
  return Array.from({ length }, (_, at) => alphabet[(at * 7 + 3) % alphabet.length]).join('');
}

const hex = (length: number): string => run(length, '0a1b2c3d4e5f6789');
const lower = (length: number): string => run(length, 'a1b2c3d4e5f6g7h8');
const upper = (length: number): string => run(length, 'A1B2C3D4E5F6G7H8');

/**
 * One made-up secret of each format, put together here so that no scanner takes the source for a leak:
 * its name, the secret, and a line in which it turns up, where the format needs one.
 */
export function secretSamples(): readonly {
  readonly name: string;
  readonly secret: string;
  readonly line: string;
}[] {
  const bare: Readonly<Record<string, string>> = {
    adafruit: `aio_${run(28)}`,
    age: `AGE-SECRET-KEY-1${upper(58)}`,
    airtable: `pat${run(14)}.${hex(64)}`,
    alibaba: `LTAI${run(20)}`,
    artifactory: `AKCp${run(69)}`,
    atlassian: `ATATT3${run(60)}`,
    bitbucket: `ATBB${run(32)}`,
    'aws access key': `AKIA${upper(16)}`,
    'aws session key': `ASIA${upper(16)}`,
    brevo: `xkeysib-${hex(64)}-${run(16)}`,
    buildkite: `bkua_${hex(40)}`,
    circleci: `CCIPAT_${run(40)}`,
    clojars: `CLOJARS_${lower(60)}`,
    contentful: `CFPAT-${run(43)}`,
    databricks: `dapi${hex(32)}`,
    'digitalocean personal': `dop_v1_${hex(64)}`,
    'digitalocean oauth': `doo_v1_${hex(64)}`,
    'docker hub': `dckr_pat_${run(27)}`,
    doppler: `dp.pt.${run(43)}`,
    discord: `MT${run(22)}.${run(6)}.${run(30)}`,
    dropbox: `sl.${run(130)}`,
    figma: `figd_${run(40)}`,
    fly: `fo1_${run(43)}`,
    'github classic': `ghp_${run(36)}`,
    'github oauth': `gho_${run(36)}`,
    'github server': `ghs_${run(36)}`,
    'github refresh': `ghr_${run(36)}`,
    'github fine-grained': `github_pat_${run(22)}_${run(59)}`,
    gitlab: `glpat-${run(20)}`,
    'google api': `AIza${run(35)}`,
    'google client': `GOCSPX-${run(28)}`,
    'google access': `ya29.${run(60)}`,
    'grafana service': `glsa_${run(32)}_${hex(8)}`,
    groq: `gsk_${run(52)}`,
    heroku: `HRKU-${run(36)}`,
    'hugging face': `hf_${run(34)}`,
    jwt: `eyJ${run(20)}.eyJ${run(40)}.${run(43)}`,
    langsmith: `lsv2_pt_${hex(32)}_${hex(10)}`,
    linear: `lin_api_${run(40)}`,
    mailchimp: `${hex(32)}-us12`,
    mailgun: `key-${hex(32)}`,
    netlify: `nfp_${run(36)}`,
    'new relic': `NRAK-${upper(27)}`,
    notion: `ntn_${run(46)}`,
    npm: `npm_${run(36)}`,
    openai: `sk-${run(48)}`,
    'openai project': `sk-proj-${run(60)}`,
    anthropic: `sk-ant-api03-${run(90)}`,
    perplexity: `pplx-${run(48)}`,
    planetscale: `pscale_tkn_${run(43)}`,
    postman: `PMAK-${hex(24)}-${hex(34)}`,
    pulumi: `pul-${hex(40)}`,
    pypi: `pypi-AgEIcHlwaS5vcmc${run(70)}`,
    replicate: `r8_${run(37)}`,
    rubygems: `rubygems_${hex(48)}`,
    sendgrid: `SG.${run(22)}.${run(43)}`,
    shopify: `shpat_${hex(32)}`,
    'slack bot': `xoxb-${run(12, '1234567890')}-${run(24)}`,
    'slack hook': `hooks.slack.com/services/T${upper(8)}/B${upper(8)}/${run(24)}`,
    sonar: `squ_${hex(40)}`,
    square: `sq0csp-${run(43)}`,
    'stripe live': `sk_live_${run(24)}`,
    'stripe restricted': `rk_live_${run(24)}`,
    'stripe hook': `whsec_${run(32)}`,
    tailscale: `tskey-auth-${run(17)}-${run(32)}`,
    'twilio key': `SK${hex(32)}`,
    vault: `hvs.${run(24)}`,
    xai: `xai-${run(80)}`,
  };
  const inContext: Readonly<Record<string, readonly [secret: string, line: string]>> = {
    'aws secret': [run(40), `aws_secret_access_key = ${run(40)}`],
    'azure storage': [`${run(86)}==`, `AccountName=x;AccountKey=${run(86)}==;EndpointSuffix=y`],
    'azure client': [run(31), `client: abc8Q~${run(31)}`],
    'basic auth address': ['pa55word-of-mine', 'https://me:pa55word-of-mine@example.org/x.git'],
    'token in an address': [run(40), `https://${run(40)}@example.org/x.git`],
    bearer: [run(30), `Authorization: Bearer ${run(30)}`],
    'basic header': [`${run(22)}==`, `"authorization": "Basic ${run(22)}=="`],
    datadog: [hex(32), `DD_API_KEY=${hex(32)}`],
    'heroku uuid': [
      `${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`,
      `HEROKU_API_KEY=${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`,
    ],
    'json password': ['correct-h0rse', '{"user":"me","password":"correct-h0rse"}'],
    telegram: [`AA${run(33)}`, `bot 123456789:AA${run(33)}`],
    terraform: [run(67), `token ${run(14)}.atlasv1.${run(67)}`],
    'private key': [
      run(64),
      `-----BEGIN RSA PRIVATE KEY-----\n${run(64)}\n${run(20)}=\n-----END RSA PRIVATE KEY-----`,
    ],
    'private key in json': [
      run(64),
      `"-----BEGIN PRIVATE KEY-----\\n${run(64)}\\n${run(20)}==\\n-----END PRIVATE KEY-----\\n"`,
    ],
  };
  return [
    ...Object.entries(bare).map(([name, secret]) => ({ name, secret, line: `got ${secret} here` })),
    ...Object.entries(inContext).map(([name, [secret, line]]) => ({ name, secret, line })),
  ];
}
