#include "nngpcheck/files/data_file.hpp"

#include "nngpcheck/files/text_file.hpp"
#include "tests/files/array_bytes.hpp"
#include "tests/files/packed.hpp"
#include "tests/input_error.hpp"

namespace nngpcheck::files {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class DataFiles : public Scratch {
 protected:
  /// The array in a file of these contents.
  ArrayFile array(const std::string& name, const std::string& contents,
                  const std::string& member = "") const {
    write(name, contents);
    return std::get<ArrayFile>(read_data_file(folder_ / (name + member)));
  }
  std::string text(const std::string& name, const std::string& contents) const {
    return std::get<TextFile>(read_data_file(write(name, contents))).text;
  }
  std::string error(const std::string& name, const std::string& contents,
                    const std::string& member = "") const {
    write(name, contents);
    return error_of([&] { read_data_file(folder_ / (name + member)); });
  }

  const std::string pair_ = npy_of<double>("<f8", "(1, 2)", {1, 2});
  const std::string triple_ = npy_of<double>("<f8", "(1, 3)", {3, 4, 5});
  const Eigen::MatrixXd two_{{1}, {2}};
};

TEST_F(DataFiles, AreKnownByTheirContents) {
  EXPECT_EQ(array("a.dat", pair_).array.samples(0, 1), two_);
  EXPECT_EQ(text("a.npy", "x0,x1\n1,2\n"), "x0,x1\n1,2\n");
}

TEST_F(DataFiles, AreUnzipped) {
  EXPECT_EQ(array("a.npy.gz", gzipped(pair_)).array.samples(0, 1), two_);
  EXPECT_EQ(text("a.csv.gz", gzipped("1,2\n") + gzipped("3,4\n")), "1,2\n3,4\n");
  EXPECT_EQ(text("a.csv.gz", gzipped("")), "");
}

TEST_F(DataFiles, MayBeArraysOfNpzFiles) {
  const std::string two = zipped({{"x.npy", pair_}, {"y.npy", triple_}});
  EXPECT_EQ(array("a.npz", two, ":x").array.samples(0, 1), two_);
  EXPECT_EQ(array("a.npz", two, ":y").array.sample_shape(), (Array::Shape{3}));
  EXPECT_EQ(array("b.npz", zipped({{"it.npy", pair_}})).array.samples(0, 1), two_);
  EXPECT_EQ(array("c:d.npz", zipped({{"it.npy", pair_}})).array.samples(0, 1), two_);
  EXPECT_THAT(error("a.npz", two),
              HasSubstr("a.npz: several arrays; it holds x, y: give one of them, as in \"a.npz:x\""));
  EXPECT_THAT(error("a.npz", two, ":z"), HasSubstr("no array is called \"z\"; it holds x, y"));
  EXPECT_THAT(error("a.npy", pair_, ":x"), HasSubstr("a.npy: no npz file; leave out \":x\""));
  EXPECT_THAT(error("a.npz", "", ":x"), HasSubstr("no npz file"));
  EXPECT_THAT(error_of([&] { read_data_file(folder_ / "none.npz:x"); }),
              HasSubstr("none.npz:x: no such file"));
}

TEST_F(DataFiles, RejectDamagedArchives) {
  const std::string gz = gzipped(pair_), zip = zipped({{"x.npy", pair_}});
  for (std::size_t length = 2; length < gz.size(); ++length)
    EXPECT_THAT(error("a.npy.gz", gz.substr(0, length)), HasSubstr("a damaged gzip file")) << length;
  for (std::size_t length = 4; length < zip.size(); ++length)
    EXPECT_NE(error("a.npz", zip.substr(0, length)), "") << length;
  std::string wrong = gz;
  wrong[wrong.size() - 6] ^= 1;  // of the checksum
  EXPECT_THAT(error("a.npy.gz", wrong), HasSubstr("a damaged gzip file"));
  std::string other = zipped({{"x.npy", pair_}});
  const std::size_t checksum = other.find("PK\x01\x02") + 16;  // in the central directory
  other[checksum] ^= 1;
  EXPECT_THAT(error("a.npz", other), HasSubstr("a damaged zip file"));
}

TEST_F(DataFiles, RejectMoreThanMemoryHolds) {
  const std::string bomb = gzipped(gzipped(std::string(1 << 20, '\0')));
  EXPECT_NE(error("a.gz", bomb), "");
  std::string many;  // 1 GiB and a bit, of some 1 MB each
  const std::string one = gzipped(std::string(1 << 24, '1'));
  for (int k = 0; k < 65; ++k) many += one;
  EXPECT_THAT(error("a.csv.gz", many), HasSubstr("unpacks to more than 1073741824 bytes"));
}

TEST_F(DataFiles, ReadIdx) {
  const ArrayFile images =
      array("train-images-idx3-ubyte", idx('\x08', {2, 1, 2}, std::string("\1\2\3\xff", 4)));
  EXPECT_EQ(images.array.samples(0, 2), (Eigen::MatrixXd{{1, 3}, {2, 255}}));
  EXPECT_TRUE(images.images);
  EXPECT_FALSE(images.range);
  EXPECT_FALSE(array("labels", idx('\x08', {2}, "ab")).images);
  EXPECT_EQ(array("x", idx('\x0D', {1, 2}, bytes<float>({1, -2}, true))).array.samples(0, 1),
            (Eigen::MatrixXd{{1}, {-2}}));
  EXPECT_EQ(array("x.gz", gzipped(idx('\x0B', {1, 1}, bytes<std::int16_t>({-3}, true)))).array.samples(0, 1),
            (Eigen::MatrixXd{{-3}}));
  EXPECT_THAT(error("x", idx('\x08', {2, 2}, "abc")),
              HasSubstr("x: its header claims (2, 2) numbers of type uint8"));
  EXPECT_THAT(error("x", idx('\x08', {4294967295, 4294967295}, "abc")), HasSubstr("its header claims"));
  EXPECT_THAT(error("x", idx('\x08', {2, 2}, "").substr(0, 9)), HasSubstr("truncated idx header"));
}

TEST_F(DataFiles, ReadBothCifars) {
  std::string ten, hundred;
  for (int i = 0; i < 2; ++i) {
    const std::string pixels(3072, static_cast<char>(100 + i));
    ten += '\x09' + pixels;
    hundred += "\x13\x63" + pixels;
  }
  for (const std::string& file : {ten, hundred}) {
    const ArrayFile read = array("data_batch_1.bin", file);
    EXPECT_EQ(read.array.shape(), (Array::Shape{2, 3, 32, 32}));
    EXPECT_EQ(read.array.samples(1, 1), Eigen::MatrixXd::Constant(3072, 1, 101));
    EXPECT_TRUE(read.images);
    EXPECT_EQ(read.range, std::pair(-1.0, 1.0));
    EXPECT_EQ(array("b.bin.gz", gzipped(file)).array.count(), 2);
  }
  const auto refused = [&](std::string file, std::size_t at, char label) {
    file[at] = label;
    EXPECT_THAT(error("other.bin", file), HasSubstr("neither CIFAR-10's")) << at;
  };
  refused(ten, 0, '\xC8');
  refused(ten, 3073, 10);
  refused(hundred, 3074, 20);
  refused(hundred, 1, 100);
  EXPECT_THAT(error("short.bin", std::string(3072, '\0')), HasSubstr("3072 bytes that are neither"));
}

TEST_F(DataFiles, OfOtherKindsAreNamed) {
  const auto refused = [&](const std::string& contents, const std::string& what, const std::string& remedy) {
    EXPECT_THAT(error("file", contents),
                AllOf(HasSubstr("file: " + what), HasSubstr(remedy), Not(HasSubstr("\n"))));
  };
  refused(std::string("\xFF\xFEx\0,\0", 6), "a text in UTF-16", "iconv -f UTF-16");
  refused(std::string("\x80\x04\x95") + "xbatch_label.", "a CIFAR batch for Python", "binary version");
  refused("\x80\x04\x95zzzzzz.", "a Python pickle", "pickle.load");
  refused(std::string("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.\x80", 16), "a file of torch.save",
          "torch.load");
  refused(zipped({{"x/data.pkl", "."}, {"x/version", "3"}}), "a file of torch.save", "torch.load");
  refused(zipped({{"[Content_Types].xml", ""}, {"xl/workbook.xml", ""}}), "an Excel file", "as CSV");
  refused(zipped({{"a.csv", "1,2"}}), "a zip archive", "unpack it");
  refused("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old Excel file", "as CSV");
  refused(std::string("PAR1\x15\0", 6), "a Parquet file", "to_csv");
  refused("\x89PNG\r\n\x1a\n", "a PNG picture", "numpy.save");
  refused("\xFF\xD8\xFF\xE0", "a JPEG picture", "numpy.save");
  refused("\x89HDF\r\n\x1a\n", "an HDF5 file", "h5py");
  refused(gzipped(std::string(257, '\0') + "ustar"), "a tar archive", "unpack it");
  refused("<!DOCTYPE html>", "a web page", "download");
  refused(std::string("\1\2\3\0", 4), "a binary file of a format that is not known", ".npy or CSV");
  refused("x\x1b[31m", "a binary file", "");
  EXPECT_THAT(error("a.csv", "x\nf\xfcr\n"), HasSubstr("a.csv:2: not UTF-8"));
  EXPECT_EQ(text("a.csv", "PAR1,BM,RDX\n1,2,3\n"), "PAR1,BM,RDX\n1,2,3\n");
}

TEST_F(DataFiles, AreTextsWhereTextIsNeeded) {
  EXPECT_EQ(read_text(write("a.csv", "hello")), "hello");
  EXPECT_THAT(error_of([&] { read_text(write("a.csv", pair_)); }),
              HasSubstr("an array of numbers, where a text"));
}

}  // namespace
}  // namespace nngpcheck::files
