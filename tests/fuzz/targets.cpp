#include "tests/fuzz/targets.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "nngpcheck/compare/runs/run.hpp"
#include "nngpcheck/compare/runs/run_folder.hpp"
#include "nngpcheck/compare/runs/sample_store.hpp"
#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/files/npy.hpp"
#include "nngpcheck/files/text_file.hpp"
#include "nngpcheck/import/import.hpp"
#include "nngpcheck/inputs/graph.hpp"
#include "nngpcheck/inputs/read_inputs.hpp"
#include "nngpcheck/kernels/kernel_part.hpp"
#include "nngpcheck/kernels/read_kernel.hpp"
#include "nngpcheck/netsor/activation.hpp"
#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "nngpcheck/netsor/reader.hpp"
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

void kernel_part(const fs::path& file) {
  kernels::PartMerger merger;
  merger.add(kernels::read_part(file), "part");
  merger.take();
}

/// A program's text: what can be read is written as what is read as the same.
void program(const fs::path& file) {
  const auto load = [&](const std::string& name) { return files::read_npy(file.parent_path() / name); };
  const std::string text = netsor::write_text(netsor::read_text(files::read_text(file), "text", load));
  if (netsor::write_text(netsor::read_text(text, "again")) != text) std::abort();
}

/// A model's archive: what can be read has a verdict.
void model(const fs::path& file) {
  if (importer::import_model(importer::read_archive(file)).verdict.empty()) std::abort();
}

void summary(const fs::path& file) { compare::curves(file.parent_path()); }
void run(const fs::path& file) { compare::recorded_experiments(file.parent_path()); }
/// A log of samples: what is damaged may be skipped, what is not must be of this run.
void samples(const fs::path& file) {
  const compare::ChunkGrid grid({{"a", 7, {2, 4}, 3}}, {"error", "k"});
  compare::SampleIndex index(grid);
  int damages = 0;
  index.add(file.parent_path().parent_path(), [&](const std::string&) { ++damages; });
  for (const std::size_t chunk : grid.all()) {
    if (index.holds(chunk)) index.samples(chunk);
  }
  if (damages > 0) throw InputError("damaged");
}

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
      {"experiment", "e.toml", experiment},  {"override", "key=value", override_key},
      {"expression", "f(x)", expression},    {"csv", "inputs.csv", inputs},
      {"npy", "inputs.npy", inputs},         {"edges", "graph.csv", edges},
      {"cifar", "batch.bin", inputs},        {"idx", "images-idx3-ubyte", inputs},
      {"npz", "inputs.npz", inputs},         {"gzip", "inputs.csv.gz", inputs},
      {"table", "e.csv", keyed_table},       {"kernel_npy", "K.npy", kernel},
      {"kernel_csv", "K.csv", kernel},       {"kernel_json", "K.json", kernel},
      {"summary", "summary.json", summary},  {"run", "run.json", run},
      {"samples", "samples/w.log", samples}, {"model", "net.nngp", model},
      {"netsor", "net.netsor", program},     {"kernel_part", "K.part", kernel_part},
  };
  return table;
}

Workplace::Workplace(const std::string& target)
    : target_(find(target)),
      folder_(fs::temp_directory_path() / ("nngpcheck-" + target + "-" + std::to_string(getpid()))) {
  fs::create_directories(folder_ / "samples");
  write(folder_ / "points.csv", "x0,x1\n1,0\n0,1\n1,1\n");
  write(folder_ / "tokens.csv", "sequence,position,token,x0,x1\n0,0,a,1,0\n0,1,b,0,1\n1,0,c,1,1\n");
  write(
      folder_ / "kernel_a.json",
      R"({"kernel": [[1]], "stderr": [[0]], "error_bound": [[0]], "repeats": 0, "labels": ["0"], "method": ""})");
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
  } catch (const Error&) {
    return false;
  }
}

}  // namespace nngpcheck::testing
