// What a run records: files of records, chunks, and moments that are merged.
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <random>

#include "nngpcheck/compare/runs/record_log.hpp"
#include "nngpcheck/compare/runs/sample_store.hpp"
#include "nngpcheck/compare/statistics/chunk.hpp"
#include "scratch.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::VectorXd;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
namespace fs = std::filesystem;

const std::vector<std::string> payloads = {"first", "", std::string(1000, '\0'), "the last nngR one"};

class RecordLogs : public Scratch {
 protected:
  RecordLogs() : file_(folder_ / "a.log") {
    RecordLog log(file_);
    for (const std::string& payload : payloads) log.append(payload);
    whole_ = read(file_);
  }

  std::vector<std::string> records() {
    std::vector<std::string> result;
    scan_ = scan_records(file_, [&](std::uint64_t offset, const std::string& payload) {
      EXPECT_EQ(read_record(file_, offset), payload);
      result.push_back(payload);
    });
    return result;
  }

  fs::path file_;
  std::string whole_;
  RecordScan scan_;
};

TEST_F(RecordLogs, HoldWhatWasAppended) {
  EXPECT_EQ(records(), payloads);
  EXPECT_EQ(scan_.end, whole_.size());
  EXPECT_THAT(scan_.damages, IsEmpty());
  std::uint64_t bytes = 0;
  for (const std::string& payload : payloads) bytes += record_bytes(payload.size());
  EXPECT_EQ(bytes, whole_.size());
  EXPECT_THAT(error_of([&] { read_record(file_, 1); }), HasSubstr("a.log: byte 1: "));
}

TEST_F(RecordLogs, LoseOnlyATornTail) {
  const std::uint64_t last = record_bytes(payloads.back().size());
  for (std::uint64_t cut = 1; cut <= last; ++cut) {
    write(file_, whole_.substr(0, whole_.size() - cut));
    EXPECT_THAT(records(), ElementsAre(payloads[0], payloads[1], payloads[2])) << cut;
    EXPECT_EQ(scan_.end, whole_.size() - last) << cut;
    EXPECT_THAT(scan_.damages, IsEmpty()) << cut;
    RecordLog(file_).append(payloads.back());
    EXPECT_EQ(read(file_), whole_) << cut;
  }
}

TEST_F(RecordLogs, NoticeEveryAlteredByte) {
  const std::uint64_t second = record_bytes(payloads[0].size()), third = second + record_bytes(0);
  for (std::uint64_t k = second; k < third; ++k) {
    std::string altered = whole_;
    altered[k] = static_cast<char>(altered[k] ^ 1);
    write(file_, altered);
    EXPECT_THAT(records(), ElementsAre(payloads[0], payloads[2], payloads[3])) << k;
    ASSERT_THAT(scan_.damages, SizeIs(1)) << k;
    EXPECT_EQ(scan_.damages[0].begin, second) << k;
    EXPECT_EQ(scan_.damages[0].end, third) << k;
    { RecordLog log(file_); }
    EXPECT_EQ(read(file_), altered) << "left alone";
  }
}

TEST_F(RecordLogs, GoOnBehindADamagedEnd) {
  std::string altered = whole_;
  altered[whole_.size() - 7] ^= 1;
  write(file_, altered);
  RecordLog(file_).append("more");
  EXPECT_THAT(records(), ElementsAre(payloads[0], payloads[1], payloads[2], "more"));
  ASSERT_THAT(scan_.damages, SizeIs(1));
  EXPECT_EQ(scan_.damages[0].end, whole_.size());
}

// The search goes through a file in blocks of 2^20 bytes.
TEST_F(RecordLogs, GoOnBehindLongDamages) {
  for (const std::size_t length : {(1u << 20) - 3, (1u << 20) - 2, (1u << 20) - 1, 1u << 20, 5u << 19}) {
    write(file_, std::string(length, 'n') + whole_);
    EXPECT_THAT(records(), SizeIs(4)) << length;
    ASSERT_THAT(scan_.damages, SizeIs(1)) << length;
    EXPECT_EQ(scan_.damages[0].end, length);
  }
}

TEST_F(RecordLogs, AdmitOneWriter) {
  const RecordLog log(file_);
  EXPECT_THAT(error_of([&] { RecordLog other(file_); }), HasSubstr("a.log: another run is writing it"));
}

TEST_F(RecordLogs, SayThatTheDiskIsFullAndLoseNothing) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  RecordLog log(file_);
  const rlimit full{whole_.size() + 10, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  const std::string error = error_of([&] { log.append("more"); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, ignored);
  EXPECT_THAT(error, HasSubstr("a.log: cannot be written: File too large; what was recorded before is kept"));
  EXPECT_EQ(read(file_), whole_);
  log.append("more");
  EXPECT_THAT(records(), SizeIs(5));
}

TEST(VectorMomentsTest, MergeToThoseOfAll) {
  std::mt19937 engine(1);
  std::normal_distribution<double> normal(1e6, 1);
  VectorMoments all, merged, part;
  std::vector<VectorXd> values;
  for (int k = 0; k < 100; ++k) {
    values.push_back(VectorXd::NullaryExpr(3, [&] { return normal(engine); }));
    all.add(values.back());
    part.add(values.back());
    if (k % 7 == 3) {
      merged.merge(part);
      part = {};
    }
  }
  merged.merge(part);
  merged.merge({});
  EXPECT_EQ(merged.count(), 100);
  VectorXd mean = VectorXd::Zero(3), squares = VectorXd::Zero(3);
  for (const VectorXd& value : values) mean += value / 100;
  for (const VectorXd& value : values) squares += (value - mean).cwiseAbs2();
  EXPECT_LT((merged.mean() - mean).cwiseAbs().maxCoeff(), 1e-8);
  EXPECT_LT((merged.squares() - squares).cwiseAbs().maxCoeff(), 1e-6);
  EXPECT_LT((merged.squares() - all.squares()).cwiseAbs().maxCoeff(), 1e-6);
  EXPECT_NEAR(merged.standard_error()(0), std::sqrt(squares(0) / 9900), 1e-8);
  EXPECT_GT((merged.squares() - part.squares()).cwiseAbs().maxCoeff(), 1) << "a part is not the whole";
}

ChunkGrid grid(std::uint32_t fingerprint = 7) {
  return {{{"a", fingerprint, {64, 1 << 15}, 1500}, {"b", fingerprint, {8}, 2}}, {"error", "other"}};
}

ChunkSamples samples_of(const Chunk& chunk, double shift = 0) {
  ChunkSamples result;
  result.rows = Eigen::MatrixXd::Random(chunk.count, 2);
  for (std::int64_t i = 0; i < chunk.count; ++i)
    result.kernels.add(VectorXd::Constant(3, shift + std::sin(double(chunk.first + i))));
  return result;
}

TEST(Chunks, CoverEveryNetworkOnce) {
  const ChunkGrid chunks = grid();
  std::map<std::pair<std::size_t, std::size_t>, std::int64_t> next;
  for (const Chunk& chunk : chunks.chunks) {
    EXPECT_EQ(chunk.first, (next[{chunk.sweep, chunk.width}]));
    next[{chunk.sweep, chunk.width}] += chunk.count;
    EXPECT_GE(chunk.count, 1);
    EXPECT_LE(chunk.count, chunk.width == 0 ? 1024 : 8);
  }
  EXPECT_EQ((next[{0, 0}]), 1500);
  EXPECT_EQ((next[{0, 1}]), 1500);
  EXPECT_EQ((next[{1, 0}]), 2);
  EXPECT_EQ(chunks.networks(chunks.all()), 3002);
  EXPECT_EQ(chunks.name(1), "a, width 64, networks 750 to 1499");
}

TEST(Chunks, AreSharedWithoutGapsAndEvenly) {
  const ChunkGrid chunks = grid();
  for (const std::int64_t parts : {1, 2, 3, 7, 500}) {
    std::vector<std::size_t> all;
    std::size_t least = chunks.chunks.size(), most = 0;
    for (std::int64_t p = 0; p < parts; ++p) {
      const auto mine = share(chunks, chunks.all(), {p, parts});
      EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
      all.insert(all.end(), mine.begin(), mine.end());
      least = std::min(least, mine.size());
      most = std::max(most, mine.size());
    }
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, chunks.all()) << parts;
    EXPECT_LE(most - least, 2u) << parts;
  }
}

TEST(Chunks, SurviveAsRecords) {
  const ChunkGrid chunks = grid();
  const ChunkSamples samples = samples_of(chunks.chunks[1]);
  const std::string record = encode(chunks, 1, samples);
  EXPECT_EQ(decode_chunk(chunks, record), 1u);
  const ChunkSamples back = decode_samples(chunks, record);
  EXPECT_EQ(back.rows, samples.rows);
  EXPECT_EQ(back.kernels.count(), 750);
  EXPECT_EQ(back.kernels.mean(), samples.kernels.mean());
  EXPECT_EQ(back.kernels.squares(), samples.kernels.squares());
  EXPECT_THAT(error_of([&] { decode_chunk(grid(8), record); }),
              HasSubstr("another run, whose fingerprint differs"));
  EXPECT_THAT(error_of([&] {
                decode_chunk({{{"a", 7, {32}, 10}}, {"error"}}, record);
              }),
              HasSubstr("networks that this run does not have"));
  EXPECT_THAT(error_of([&] {
                decode_chunk({chunks.sweeps, {"error"}}, record);
              }),
              HasSubstr("columns differs"));
  EXPECT_THAT(error_of([&] { decode_chunk(chunks, record.substr(0, record.size() - 8)); }),
              HasSubstr("wrong length"));
  EXPECT_THAT(error_of([&] { decode_chunk(chunks, "what?"); }), HasSubstr("not of a run"));
}

class SampleStores : public Scratch {
 protected:
  void record(const std::string& writer, std::size_t chunk, const ChunkSamples& samples) const {
    RecordLog(log_file(folder_, writer)).append(encode(grid_, chunk, samples));
  }
  std::string error() const {
    return error_of([&] { SampleIndex(grid_).add(folder_, [](const std::string&) {}); });
  }

  ChunkGrid grid_ = grid();
};

TEST_F(SampleStores, FindWhatAllWritersRecorded) {
  const ChunkSamples samples = samples_of(grid_.chunks[3]);
  record("0", 0, samples_of(grid_.chunks[0]));
  record("1", 3, samples);
  record("2", 3, samples);
  SampleIndex index(grid_);
  index.add(folder_, [](const std::string& notice) { ADD_FAILURE() << notice; });
  EXPECT_TRUE(index.holds(0) && index.holds(3) && !index.holds(1));
  EXPECT_EQ(index.samples(3).rows, samples.rows);
  EXPECT_EQ(index.missing().size(), grid_.chunks.size() - 2);
  EXPECT_EQ(index.networks(), grid_.networks({0, 3}));
}

TEST_F(SampleStores, RejectTheSameNetworksWithOtherNumbers) {
  const ChunkSamples samples = samples_of(grid_.chunks[3]);
  record("0", 3, samples);
  ChunkSamples other = samples;
  other.rows(0, 0) = std::nextafter(other.rows(0, 0), 2);
  record("1", 3, other);
  EXPECT_THAT(error(), HasSubstr("1.log: byte 0: a, width 32768, networks 7 to 14: the same networks are"));
}

TEST_F(SampleStores, RejectRecordsOfAnotherRun) {
  record("0", 0, samples_of(grid_.chunks[0]));
  grid_ = grid(8);
  EXPECT_THAT(error(), HasSubstr("0.log: byte 0: networks of another run, whose fingerprint differs"));
}

}  // namespace
}  // namespace nngpcheck::compare
