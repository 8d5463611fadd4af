#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>

#include "nngpcheck/files/atomic_file.hpp"
#include "nngpcheck/files/npy.hpp"
#include "nngpcheck/kernels/kernel_file.hpp"
#include "scratch.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::MatrixXd;
using testing::HasSubstr;
namespace fs = std::filesystem;

class AtomicFiles : public Scratch {};
class KernelFiles : public Scratch {};

TEST_F(AtomicFiles, AppearWholeOrNotAtAll) {
  {
    files::AtomicFile file(folder_ / "a");
    EXPECT_FALSE(fs::exists(folder_ / "a"));
    file.commit("whole");
  }
  EXPECT_EQ(read(folder_ / "a"), "whole");
  { files::AtomicFile(folder_ / "a"); }
  EXPECT_EQ(read(folder_ / "a"), "whole");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

/// Names in the folder.
std::vector<std::string> names(const fs::path& folder) {
  std::vector<std::string> result;
  for (const auto& entry : fs::directory_iterator(folder)) result.push_back(entry.path().filename().string());
  return result;
}

TEST_F(AtomicFiles, OfTwoWritersDoNotMix) {
  files::AtomicFile one(folder_ / "a"), two(folder_ / "a");
  EXPECT_NE(one.temporary(), two.temporary());
  one.write("one ");
  two.write("two");
  one.write("and all");
  one.commit();
  EXPECT_EQ(read(folder_ / "a"), "one and all");
  two.commit();
  EXPECT_EQ(read(folder_ / "a"), "two");
  EXPECT_THAT(names(folder_), testing::ElementsAre("a"));
}

TEST_F(AtomicFiles, RemoveWhatAKilledProcessLeft) {
  const pid_t child = ::fork();
  if (child == 0) {
    files::AtomicFile file(folder_ / "a");
    file.write("half");
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  write(folder_ / "a.b.partial", "");
  EXPECT_EQ(names(folder_).size(), 2u);
  files::AtomicFile kept(folder_ / "a");
  files::AtomicFile(folder_ / "a").commit("whole");
  EXPECT_TRUE(fs::exists(kept.temporary()));
  EXPECT_THAT(names(folder_),
              testing::UnorderedElementsAre("a", "a.b.partial", kept.temporary().filename().string()));
}

TEST_F(AtomicFiles, FollowLinksAndLeaveDevicesAlone) {
  fs::create_directory(folder_ / "far");
  fs::create_symlink(folder_ / "far" / "a", folder_ / "link");
  files::write_file(folder_ / "link", "far away");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read(folder_ / "far" / "a"), "far away");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(error_of([&] { files::AtomicFile(folder_ / "pipe"); }), HasSubstr("it is no regular file"));
}

TEST_F(AtomicFiles, RejectPlacesThatCannotBeWritten) {
  write(folder_ / "file", "");
  EXPECT_THAT(error_of([&] { files::AtomicFile(folder_ / "none" / "a"); }),
              HasSubstr("none/a: cannot be written: No such"));
  EXPECT_THAT(error_of([&] { files::AtomicFile(folder_ / "file" / "a"); }),
              HasSubstr("cannot be written: Not a directory"));
  EXPECT_THAT(error_of([&] { files::AtomicFile{folder_}; }), HasSubstr("it is a directory"));
}

kernels::Kernel example() {
  kernels::Kernel result;
  result.value = MatrixXd{{1.0 / 3, -2e-300}, {-2e-300, 7}};
  result.standard_error = MatrixXd::Zero(2, 2);
  result.error_bound = MatrixXd::Constant(2, 2, 1e-16);
  result.repeats = 16;
  result.labels = {"0:0 the", "0:1 \"fox\""};
  result.method = "closed form";
  return result;
}

TEST_F(KernelFiles, SurviveJson) {
  const auto json = nlohmann::json::parse(kernels::serialize(example(), kernels::KernelFormat::json));
  const kernels::Kernel back = kernels::kernel_from_json(json);
  EXPECT_EQ(back.value, example().value);
  EXPECT_EQ(back.error_bound, example().error_bound);
  EXPECT_EQ(back.standard_error, example().standard_error);
  EXPECT_EQ(back.repeats, 16);
  EXPECT_EQ(back.labels, example().labels);
  EXPECT_EQ(back.method, "closed form");
  const auto message = [&](const char* key, const nlohmann::json& value) {
    nlohmann::json damaged = json;
    damaged[key] = value;
    return message_of<InputError>([&] { kernels::kernel_from_json(damaged); });
  };
  EXPECT_THAT(message("kernel", nullptr), HasSubstr("not a kernel"));
  EXPECT_THAT(message("kernel", {{1, 2}, {3}}), HasSubstr("differ in length"));
  EXPECT_THAT(message("stderr", {{1}}), HasSubstr("its stderr differs in size"));
  EXPECT_THAT(message("error_bound", {{1}}), HasSubstr("its error_bound differs in size"));
  EXPECT_THAT(message("labels", {"a"}), HasSubstr("labels differ in size"));
  for (const int repeats : {-1, 1}) EXPECT_THAT(message("repeats", repeats), HasSubstr("at least 2, or 0"));
  nlohmann::json alone = {{"kernel", json["kernel"]}};
  EXPECT_EQ(kernels::kernel_from_json(alone).value, example().value);
  EXPECT_EQ(kernels::kernel_from_json(alone).standard_error.size(), 0);
}

TEST_F(KernelFiles, SurviveNpyAndCsv) {
  write(folder_ / "k.npy", kernels::serialize(example(), kernels::KernelFormat::npy));
  EXPECT_EQ(files::read_npy(folder_ / "k.npy"), example().value);
  EXPECT_EQ(fs::file_size(folder_ / "k.npy") % 64, 32u);  // numbers start at a multiple of 64
  EXPECT_EQ(kernels::serialize(example(), kernels::KernelFormat::csv),
            "0.33333333333333331,-2.0000000000000001e-300\n-2.0000000000000001e-300,7\n");
}

TEST_F(KernelFiles, OfRowsAndColumnsHaveBothNames) {
  const kernels::Kernel kernel{MatrixXd{{1, 2}},  MatrixXd{{0, 0}}, MatrixXd{{0, 0}}, 0,
                               {"test, \"one\""}, {"a", "b"},       "closed form"};
  EXPECT_EQ(kernels::serialize(kernel, kernels::KernelFormat::csv), ",a,b\n\"test, \"\"one\"\"\",1,2\n");
  const auto json = nlohmann::json::parse(kernels::serialize(kernel, kernels::KernelFormat::json));
  EXPECT_EQ(json["rows"], kernel.labels);
  EXPECT_EQ(json["columns"], kernel.columns);
  EXPECT_FALSE(json.contains("labels"));
  EXPECT_EQ(kernels::kernel_from_json(json).columns, kernel.columns);
  write(folder_ / "k.npy", kernels::serialize(kernel, kernels::KernelFormat::npy));
  EXPECT_EQ(files::read_npy(folder_ / "k.npy"), kernel.value);
}

TEST_F(KernelFiles, GoByExtension) {
  EXPECT_EQ(kernels::kernel_format("a/k.npy"), kernels::KernelFormat::npy);
  EXPECT_EQ(kernels::kernel_format("k.csv"), kernels::KernelFormat::csv);
  EXPECT_EQ(kernels::kernel_format("k.json"), kernels::KernelFormat::json);
  EXPECT_THAT(error_of([] { kernels::kernel_format("k.txt"); }),
              HasSubstr("k.txt: a kernel file must end in"));
}

}  // namespace
}  // namespace nngpcheck::compare
