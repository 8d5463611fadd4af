#include "nngpcheck/support/memory.hpp"

#include <cmath>

#include "tests/scratch.hpp"

namespace nngpcheck::machine {
namespace {

namespace fs = std::filesystem;

/// Files as a kernel shows them.
class AvailableMemory : public Scratch {
 protected:
  AvailableMemory() { make("proc/meminfo", "MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable: 4000 kB\n"); }
  void make(const fs::path& file, const std::string& contents) const {
    fs::create_directories((folder_ / file).parent_path());
    write(file, contents);
  }
  double kibibytes() const { return support::available_memory(folder_) / 1024; }
};

TEST_F(AvailableMemory, IsWhatLinuxCallsAvailable) {
  EXPECT_EQ(kibibytes(), 4000);
  fs::remove(folder_ / "proc/meminfo");
  EXPECT_GT(kibibytes(), 4000) << "what the machine has";
}

TEST_F(AvailableMemory, IsWithinTheGroupAndThoseAroundIt) {
  make("proc/self/cgroup", "0::/slice/service\n");
  make("sys/fs/cgroup/slice/service/memory.max", "max\n");
  EXPECT_EQ(kibibytes(), 4000);
  make("sys/fs/cgroup/slice/memory.max", "3072000\n");
  EXPECT_EQ(kibibytes(), 3000);
  make("sys/fs/cgroup/slice/memory.current", "2048000\n");
  EXPECT_EQ(kibibytes(), 1000);
  make("sys/fs/cgroup/slice/memory.stat", "anon 512\ninactive_file 1024000\nactive_file 7\n");
  EXPECT_EQ(kibibytes(), 2000) << "old pages of files can go";
  make("sys/fs/cgroup/slice/service/memory.max", "1024000\n");
  EXPECT_EQ(kibibytes(), 1000);
  make("sys/fs/cgroup/slice/service/memory.current", "9999999\n");
  EXPECT_EQ(kibibytes(), 0);
}

// What a container sees: its own group as the root.
TEST_F(AvailableMemory, IsWithinTheRootGroup) {
  make("proc/self/cgroup", "0::/\n");
  make("sys/fs/cgroup/memory.max", "1024000\n");
  EXPECT_EQ(kibibytes(), 1000);
}

TEST_F(AvailableMemory, KnowsTheFirstVersion) {
  make("proc/self/cgroup", "5:cpu,cpuacct:/elsewhere\n4:hugetlb,memory:/docker/12:34\n0::/\n");
  make("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(kibibytes(), 4000) << "no limit, and a group that is not mounted here";
  make("sys/fs/cgroup/memory/docker/12:34/memory.limit_in_bytes", "3072000\n");
  make("sys/fs/cgroup/memory/docker/12:34/memory.usage_in_bytes", "2048000\n");
  make("sys/fs/cgroup/memory/docker/12:34/memory.stat", "inactive_file 5\ntotal_inactive_file 1024000\n");
  EXPECT_EQ(kibibytes(), 2000);
  make("sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "512000\n");
  EXPECT_EQ(kibibytes(), 500);
}

TEST(BytesText, HasThreeDigits) {
  EXPECT_EQ(support::bytes_text(0), "0 MB");
  EXPECT_EQ(support::bytes_text(5.124e8), "512 MB");
  EXPECT_EQ(support::bytes_text(3.14159e9), "3.14 GB");
}

}  // namespace
}  // namespace nngpcheck::machine
