// Archives that cannot be read end with one clear message.
#include "nngpcheck/import/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <limits>
#include <map>

#include "nngpcheck/files/text_file.hpp"
#include "nngpcheck/files/unpack.hpp"
#include "nngpcheck/import/import.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::importer {
namespace {

using Members = std::map<std::string, std::string>;

const std::string model = std::string(NNGPCHECK_MODELS) + "/archives/mlp_kaiming.nngp";

Members members() { return files::zip_contents(files::read_file(model), model, 1 << 24); }

std::string zip(const Members& contents) {
  std::string bytes(1 << 24, '\0');
  std::size_t used = 0;
  archive* zip = archive_write_new();
  archive_write_set_format_zip(zip);
  archive_write_open_memory(zip, bytes.data(), bytes.size(), &used);
  for (const auto& [name, data] : contents) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(data.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_write_header(zip, entry);
    archive_write_data(zip, data.data(), data.size());
    archive_entry_free(entry);
  }
  archive_write_close(zip);
  archive_write_free(zip);
  bytes.resize(used);
  return bytes;
}

void expect_refused(const std::string& bytes, const std::string& why) {
  try {
    import_model(parse_archive(bytes, "net.nngp"));
    ADD_FAILURE() << "not refused: " << why;
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(why));
  }
}

void expect_refused(const std::function<void(Members&)>& change, const std::string& why) {
  Members changed = members();
  change(changed);
  expect_refused(zip(changed), why);
}

void replace(std::string& text, const std::string& old, const std::string& now) {
  const std::size_t at = text.find(old);
  ASSERT_NE(at, std::string::npos) << old;
  text.replace(at, old.size(), now);
}

TEST(Archives, ThatAreWholeAreRead) {
  const Archive archive = parse_archive(zip(members()), "net.nngp");
  EXPECT_EQ(archive.graphs[2].n, 48);
  EXPECT_EQ(archive.graphs[0].inputs[0].target, "layers.0.weight");
  EXPECT_NEAR(archive.graphs[0].inputs[0].law.variance(), 0.4, 1e-12);
}

TEST(Archives, ThatAreNoneAreRefused) {
  expect_refused("hello", "no zip");
  expect_refused(files::read_file(model).substr(0, 20'000), "damaged");
  expect_refused(zip({{"a.txt", "b"}}), "no model.json");
  expect_refused([](Members& m) { m["model.json"] = "{"; }, "no JSON");
  expect_refused([](Members& m) { m["model.json"] = "[1]"; }, "not of an nngpcheck archive");
}

TEST(Archives, OfOtherVersionsAreRefused) {
  expect_refused([](Members& m) { replace(m["model.json"], "\"version\": 1", "\"version\": 7"); },
                 "version 7");
}

TEST(Archives, WithUnknownOperatorsAreRefusedWithTheirPlace) {
  expect_refused([](Members& m) { replace(m["model.json"], "aten.relu.default", "aten.fft_rfft.default"); },
                 "models.py:");
}

TEST(Archives, WithOtherShapesAreRefused) {
  expect_refused([](Members& m) { m["16/p_layers_0_weight.npy"] = m["32/p_layers_0_weight.npy"]; },
                 "another shape");
  expect_refused([](Members& m) { m["16/p_layers_0_weight.npy"].resize(200); },
                 "not as long as its header says");
  expect_refused([](Members& m) { m.erase("16/p_layers_0_weight.npy"); }, "lacks the file");
}

TEST(Archives, WithWeightsThatAreNotFiniteAreRefused) {
  expect_refused(
      [](Members& m) {
        std::string& file = m["16/p_layers_0_weight.npy"];
        const float nan = std::numeric_limits<float>::quiet_NaN();
        std::memcpy(file.data() + file.size() - sizeof nan, &nan, sizeof nan);
      },
      "not finite");
}

TEST(Archives, ThatReadWhatIsNotComputedAreRefused) {
  expect_refused(
      [](Members& m) { replace(m["model.json"], "{\"ref\": \"linear\"}", "{\"ref\": \"lineal\"}"); },
      "computed nowhere");
}

TEST(Archives, ThatUnpackToTooMuchAreRefused) {
  const std::string zeros(1 << 20, '\0');
  EXPECT_THROW(files::zip_contents(zip({{"a", zeros}, {"b", zeros}}), "bomb.nngp", (1 << 20) + 1),
               InputError);
}

}  // namespace
}  // namespace nngpcheck::importer
