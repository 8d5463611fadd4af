#include <sys/stat.h>

#include <cmath>

#include "compare/atomic_file.hpp"
#include "compare/kernel_file.hpp"
#include "compare/sample_log.hpp"
#include "config/npy.hpp"
#include "scratch.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::MatrixXd;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class AtomicFiles : public Scratch {};
class KernelFiles : public Scratch {};
class SampleLogs : public Scratch {};

TEST_F(AtomicFiles, AppearWholeOrNotAtAll) {
  {
    AtomicFile file(folder_ / "a");
    EXPECT_FALSE(fs::exists(folder_ / "a"));
    file.commit("whole");
  }
  EXPECT_EQ(read(folder_ / "a"), "whole");
  { AtomicFile(folder_ / "a"); }
  EXPECT_EQ(read(folder_ / "a"), "whole");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(AtomicFiles, RejectPlacesThatCannotBeWritten) {
  write(folder_ / "file", "");
  EXPECT_THAT(error_of([&] { AtomicFile(folder_ / "none" / "a"); }),
              HasSubstr("none/a: cannot be written: No such"));
  EXPECT_THAT(error_of([&] { AtomicFile(folder_ / "file" / "a"); }),
              HasSubstr("cannot be written: Not a directory"));
  EXPECT_THAT(error_of([&] { AtomicFile{folder_}; }), HasSubstr("it is a directory"));
}

LabelledKernel example() {
  LabelledKernel result;
  result.kernel = MatrixXd{{1.0 / 3, -2e-300}, {-2e-300, 7}};
  result.standard_error = MatrixXd::Zero(2, 2);
  result.error_bound = MatrixXd::Constant(2, 2, 1e-16);
  result.labels = {"0:0 the", "0:1 \"fox\""};
  result.method = "closed form";
  return result;
}

TEST_F(KernelFiles, SurviveJson) {
  const auto json = nlohmann::json::parse(serialize(example(), KernelFormat::json));
  const LabelledKernel back = kernel_from_json(json);
  EXPECT_EQ(back.kernel, example().kernel);
  EXPECT_EQ(back.error_bound, example().error_bound);
  EXPECT_EQ(back.standard_error, example().standard_error);
  EXPECT_EQ(back.labels, example().labels);
  EXPECT_EQ(back.method, "closed form");
  for (const char* key : {"kernel", "stderr", "error_bound", "labels", "method"}) {
    nlohmann::json damaged = json;
    damaged.erase(key);
    EXPECT_THAT(error_of([&] { kernel_from_json(damaged); }), HasSubstr("not a kernel file")) << key;
  }
  nlohmann::json ragged = json;
  ragged["kernel"][1].push_back(3);
  EXPECT_THAT(error_of([&] { kernel_from_json(ragged); }), HasSubstr("differ in size"));
}

TEST_F(KernelFiles, SurviveNpyAndCsv) {
  write(folder_ / "k.npy", serialize(example(), KernelFormat::npy));
  EXPECT_EQ(config::read_npy(folder_ / "k.npy"), example().kernel);
  EXPECT_EQ(fs::file_size(folder_ / "k.npy") % 64, 32u);  // numbers start at a multiple of 64
  EXPECT_EQ(serialize(example(), KernelFormat::csv),
            "0.33333333333333331,-2.0000000000000001e-300\n-2.0000000000000001e-300,7\n");
}

TEST_F(KernelFiles, GoByExtension) {
  EXPECT_EQ(kernel_format("a/k.npy"), KernelFormat::npy);
  EXPECT_EQ(kernel_format("k.csv"), KernelFormat::csv);
  EXPECT_EQ(kernel_format("k.json"), KernelFormat::json);
  EXPECT_THAT(error_of([] { kernel_format("k.txt"); }), HasSubstr("k.txt: a kernel file must end in"));
}

const std::vector<LoggedSweep> sweeps = {{"a", {8, 16}, 2}, {"b", {4}, 3}};
const std::vector<double> numbers = {0.1, 1e-17, 2.0 / 3, 5, 0, 123456.789, 7e300};

/// Appends what is missing.
void finish(SampleLog& log) {
  std::size_t k = 0;
  for (std::size_t e = 0; e < sweeps.size(); ++e) {
    for (std::size_t w = 0; w < sweeps[e].widths.size(); ++w) {
      for (std::int64_t i = 0; i < sweeps[e].networks; ++i, ++k) {
        if (i >= std::ssize(log.errors(e, w))) log.append(e, w, numbers[k]);
        EXPECT_EQ(log.errors(e, w)[static_cast<std::size_t>(i)], numbers[k]);
      }
    }
  }
}

TEST_F(SampleLogs, AreTidy) {
  SampleLog log(folder_ / "s.csv", sweeps);
  finish(log);
  EXPECT_EQ(
      read(folder_ / "s.csv"),
      "experiment,width,network,relative_squared_error\na,8,0,0.1\na,8,1,1e-17\na,16,0,0.6666666666666666\n"
      "a,16,1,5\nb,4,0,0\nb,4,1,123456.789\nb,4,2,7e+300\n");
}

TEST_F(SampleLogs, GoOnAfterAnInterruptionAtAnyByte) {
  const fs::path file = folder_ / "s.csv";
  {
    SampleLog log(file, sweeps);
    finish(log);
  }
  const std::string whole = read(file);
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    write(file, whole.substr(0, length));
    SampleLog log(file, sweeps);
    finish(log);
    EXPECT_EQ(read(file), whole) << length;
  }
}

TEST_F(SampleLogs, RejectOtherFiles) {
  const fs::path file = folder_ / "s.csv";
  const std::string header = "experiment,width,network,relative_squared_error\n";
  const auto error = [&](const std::string& contents) {
    write(file, contents);
    const std::string message = error_of([&] { SampleLog(file, sweeps); });
    EXPECT_EQ(read(file), contents);
    return message;
  };
  EXPECT_THAT(error("my,data\n1,2\n"), HasSubstr("s.csv:1: not the samples of a run"));
  EXPECT_THAT(error(header + "a,8,1,0.5\n"),
              HasSubstr("s.csv:2: \"a,8,1,0.5\" where \"a,8,0,...\" must stand"));
  EXPECT_THAT(error(header + "a,8,0,0.5\na,9,0,0.5\n"), HasSubstr("s.csv:3: "));
  EXPECT_THAT(error(header + "a,8,0,0.5x\n"), HasSubstr("s.csv:2: "));
  EXPECT_THAT(error(header + "a,8,0,-1\n"), HasSubstr("s.csv:2: "));
  EXPECT_THAT(error(header + "a,8,0,nan\n"), HasSubstr("s.csv:2: "));
  EXPECT_THAT(error(header + "a,8,0,inf\n"), HasSubstr("s.csv:2: "));
}

TEST_F(SampleLogs, AdmitOneWriter) {
  const SampleLog log(folder_ / "s.csv", sweeps);
  EXPECT_THAT(error_of([&] { SampleLog(folder_ / "s.csv", sweeps); }),
              HasSubstr("another run is writing it"));
}

TEST_F(SampleLogs, RejectInfiniteErrors) {
  SampleLog log(folder_ / "s.csv", sweeps);
  EXPECT_THAT(error_of([&] { log.append(0, 0, INFINITY); }),
              HasSubstr("a: network 0 of width 8 is infinitely far"));
}

}  // namespace
}  // namespace nngpcheck::compare
