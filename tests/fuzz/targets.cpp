#include "tests/fuzz/targets.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/files/text_file.hpp"
#include "nngpcheck/inputs/graph.hpp"
#include "nngpcheck/inputs/read_inputs.hpp"
#include "nngpcheck/kernels/read_kernel.hpp"
#include "nngpcheck/netsor/activation.hpp"
#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::testing {

namespace {

namespace fs = std::filesystem;

void experiment(const fs::path& file) { config::read_experiments(file); }
void override_key(const fs::path& file) { config::example_experiment("mlp", {files::read_file(file)}); }
void expression(const fs::path& file) {
  try {
    const auto phi = netsor::Activation::from_expression(files::read_file(file));
    // What is printed is read as the same, and the search for kinks ends.
    if (netsor::Expression::parse(phi.name()) != phi.expression()) std::abort();
    phi.breakpoints(-40, 40);
  } catch (const netsor::ProgramError& error) {
    throw InputError(error.what());
  }
}
void inputs(const fs::path& file) { inputs::read_inputs(file); }
/// The same file read by an experiment's keys.
void keyed_table(const fs::path& file) {
  const fs::path experiment = file.parent_path() / "keys.toml";
  config::read_experiments(experiment);
}
void edges(const fs::path& file) {
  inputs::read_edges(file, 5, inputs::EdgeKind::directed);
  inputs::read_edges(file, 5, inputs::EdgeKind::undirected);
}
void kernel(const fs::path& file) { kernels::read_kernel(file, file, {"a", "b"}); }

const Target& find(const std::string& name) {
  const auto found = std::find_if(targets().begin(), targets().end(),
                                  [&](const Target& target) { return target.name == name; });
  if (found == targets().end()) throw std::out_of_range("no target is called " + name);
  return *found;
}

void write(const fs::path& file, std::string_view bytes) {
  std::ofstream stream(file, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

const std::vector<Target>& targets() {
  static const std::vector<Target> table = {
      {"experiment", "e.toml", experiment}, {"override", "key=value", override_key},
      {"expression", "f(x)", expression},   {"csv", "inputs.csv", inputs},
      {"npy", "inputs.npy", inputs},        {"edges", "graph.csv", edges},
      {"cifar", "batch.bin", inputs},       {"idx", "images-idx3-ubyte", inputs},
      {"npz", "inputs.npz", inputs},        {"gzip", "inputs.csv.gz", inputs},
      {"table", "e.csv", keyed_table},      {"kernel_npy", "K.npy", kernel},
      {"kernel_csv", "K.csv", kernel},      {"kernel_json", "K.json", kernel},
  };
  return table;
}

Workplace::Workplace(const std::string& target)
    : target_(find(target)),
      folder_(fs::temp_directory_path() / ("nngpcheck-" + target + "-" + std::to_string(getpid()))) {
  fs::create_directories(folder_);
  write(folder_ / "points.csv", "x0,x1\n1,0\n0,1\n1,1\n");
  write(folder_ / "tokens.csv", "sequence,position,token,x0,x1\n0,0,a,1,0\n0,1,b,0,1\n1,0,c,1,1\n");
  write(folder_ / "edges.csv", "source,target\n0,1\n1,2\n");
  write(
      folder_ / "keys.toml",
      "architecture.name = \"mlp\"\n[inputs]\nfile = \"e.csv\"\ncolumns = [\"a\", 2]\nlabels = 1\nskip = 1\n"
      "header = true\nseparator = \";\"\ndecimal = \",\"\n");
}

Workplace::~Workplace() { fs::remove_all(folder_); }

bool Workplace::read(std::string_view bytes) const {
  write(folder_ / target_.file, bytes);
  try {
    target_.read(folder_ / target_.file);
    return true;
  } catch (const InputError&) {
    return false;
  }
}

}  // namespace nngpcheck::testing
