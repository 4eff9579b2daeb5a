// The commands that install what is missing, for people whose system we may not change.

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
  lines.push(`  Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y ${names('apt')}`);
  if (names('dnf')) lines.push(`  Fedora, RHEL:    sudo dnf install -y ${names('dnf')}`);
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
