// The commands that install what is missing, for people whose system we may not change.

/** Text about npm packages that could not be installed. */
export function dependencyRemedy(names) {
  const shown = names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
  return (
    `These npm packages are missing or of another version, and npm could not install them: ${shown}.\n` +
    "Is the npm registry within reach? Try 'npm ping', then run the same command again."
  );
}

/** Text that names what is missing and how to install it on Debian, Fedora, macOS and with conda. */
export function remedyText(missing) {
  const names = (manager) =>
    missing
      .map((item) => item[manager])
      .filter(Boolean)
      .join(' ');
  const lines = [
    `Missing: ${missing.map((item) => item.what).join(', ')}. Install with one of these, then run the same command again:`,
  ];
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  lines.push(`  Debian, Ubuntu:  ${sudo}apt-get update && ${sudo}apt-get install -y ${names('apt')}`);
  if (names('dnf')) lines.push(`  Fedora, RHEL:    ${sudo}dnf install -y ${names('dnf')}`);
  if (names('brew')) lines.push(`  macOS:           brew install ${names('brew')}`);
  if (names('conda')) lines.push(`  conda:           conda install -c conda-forge ${names('conda')}`);
  if (missing.some((item) => !item.dnf)) {
    lines.push(
      'The data set elsewhere than on Debian: put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz,',
      't10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz into ~/.residua/datasets/fashion-mnist or the folder named by RESIDUA_DATA.',
    );
  }
  return lines.join('\n');
}
